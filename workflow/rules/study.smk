"""The lock that keeps a second run out of a folder, the study as a file, and the machine."""

import fcntl
import importlib.util
import os
import subprocess
import sys

from gnn_checkpointing.artefacts import write_sealed
from gnn_checkpointing.report.letters import unprinted


wildcard_constraints:
    graph="[A-Za-z0-9_.-]+",
    visit="[A-Za-z0-9_.-]+",
    # Named one by one: SAGE-max has a hyphen, and so have the names of graphs.
    convolution="|".join(sorted({*CONVOLUTIONS, *study.architecture.convolutions})),


onstart:
    if warning := unprinted(study):
        print(f"warning: {warning}", file=sys.stderr, flush=True)
    cores = workflow.resource_settings.cores
    if cores is not None and cores < 1:  # Snakemake would wait for ever
        refuse(f"--cores {cores}: no job would ever begin; give 1 or more, or all")
    # Each job reads this file anew on its own machine, and must find the same folders.
    if workflow.non_local_exec and not study.hardware.slug:
        refuse(
            "elsewhere than here this machine's name says nothing: name the type of machine that measures, "
            "lower-case words joined by -, as in --config hardware='{slug: epyc-9654-192c}'"
        )
    # The kernel releases this lock when the process ends, however it ends; Snakemake's own outlives a kill -9.
    try:
        Path("results").mkdir(exist_ok=True)
        run_lock = open("results/.running", "a")
        globals()["run_lock"] = run_lock
        fcntl.flock(run_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not HANDED:
            write_sealed(Path(STUDY), SHOWN)
    except BlockingIOError:
        refuse(
            f"another run is at work in {os.getcwd()}; wait for it to end, or stop it first"
        )
    except OSError as error:
        refuse(
            f"{error.filename} in {os.getcwd()}: {error.strerror.lower()}; "
            "run where results can be written, or name such a folder with --directory"
        )
    # A model of the user's own is tried before anything is measured, where this process may import torch.
    if (
        not REMOTE
        and study.architecture.module
        and importlib.util.find_spec("torch")
    ):
        command = [
            sys.executable,
            "-m",
            "gnn_checkpointing",
            "model",
            "--study",
            STUDY,
        ]
        if subprocess.run(command, stdout=subprocess.DEVNULL).returncode:
            os._exit(2)


if HANDED:

    rule study:
        # Not a shell line: a study has no length that a command line is sure to take.
        output:
            STUDY,
        log:
            f"{RESULTS}/logs/study.log",
        localrule: True
        params:
            values=SHOWN,
        run:
            write_sealed(Path(output[0]), params.values)


rule hardware:
    input:
        study=HANDED,
    output:
        f"{RESULTS}/hardware.json",
    log:
        f"{RESULTS}/logs/hardware.log",
    conda:
        "../envs/gnn_checkpointing.yaml"
    envmodules:
        "gnn-checkpointing",
    resources:
        # The share of a machine that measuring has, so that both see the same one.
        cpus_per_task=study.measurement.threads,
    params:
        study=handed,
        versions=library_versions(),
        settings=[
            study.measurement.threads,
            study.measurement.allocators,
            study.hardware.label,
        ],
    shell:
        "python -m gnn_checkpointing hardware --study {params.study} --output {output} > {log} 2>&1"
