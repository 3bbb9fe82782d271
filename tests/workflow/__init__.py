"""The whole path, from a study to its report, run as users run it."""
