"""The workflow is in workflow/Snakefile; this file lets a bare `snakemake` find it and the profile beside it."""


include: "workflow/Snakefile"


# An included file does not say what is made when nothing is asked for.
workflow.default_target = "all"
