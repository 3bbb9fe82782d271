"""From a study file to a published report; `snakemake --cores 8` is the whole user interface."""

import os

# A study file is complete: the default is loaded only where no other is given, since Snakemake merges deeply. It is that
# of the folder where results go, or else the one beside this file.
DEFAULT = (
    "config.yaml"
    if os.path.exists("config.yaml")
    else os.path.join(workflow.basedir, "config.yaml")
)

if not workflow.overwrite_configfiles:

    configfile: DEFAULT


include: "workflow/rules/study.smk"
include: "workflow/rules/graphs.smk"
include: "workflow/rules/measurement.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/analysis.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        f"{REPORT}/report.html",
        f"{REPORT}/report.pdf",
        "report/index.html",
        # Never committed: without it a published report in a fresh clone would count as a run.
        f"{RESULTS}/measurements.csv",
