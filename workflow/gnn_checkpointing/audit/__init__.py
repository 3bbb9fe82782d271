"""The report grades itself: a published rubric of yes/no checks, each computed from the files beside the report."""
