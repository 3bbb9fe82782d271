"""The study of this run, the folders it fills, and the lock that keeps a second run out of them."""

import fcntl
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

from gnn_checkpointing.artefacts import digest, seal, write_json
from gnn_checkpointing.study.contents import Memory, with_contents
from gnn_checkpointing.measurement import fingerprint
from gnn_checkpointing.measurement.fingerprint import code_fingerprint, library_versions
from gnn_checkpointing.measurement.forked import RUN, this_run
from gnn_checkpointing.measurement.hardware import hardware_slug
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.letters import unprinted
from gnn_checkpointing.study import design
from gnn_checkpointing.study.convolutions import CONVOLUTIONS
from gnn_checkpointing.study.graph_design import EgoGraph, place, study_graphs
from gnn_checkpointing.study.order import visits
from gnn_checkpointing.study.reading import parse_study, refuse_unmeasurable
from gnn_checkpointing.study.yaml_files import read_yaml

try:
    files = workflow.overwrite_configfiles or workflow.configfiles
    source = ", ".join(map(str, files)) or DEFAULT
    # Snakemake's own reader takes the last of two equal keys without a word.
    for file in files:
        read_yaml(Path(file))
    study = parse_study(config, source)
    refuse_unmeasurable(study, source)
    # From here on the study lists the checksums of the user's own files that it reads.
    study = with_contents(study, Memory(Path("results/.checksums.json")))
    SPECS = study_graphs(study)
except Refusal as refusal:
    raise WorkflowError(str(refusal)) from None

# Measured processes of one run share the import of torch; what has imported it ends with this process.
os.environ[RUN] = this_run()
RESULTS = f"results/{hardware_slug(study)}/{study.name}"
REPORT = f"report/{hardware_slug(study)}/{study.name}"
STUDY = f"{RESULTS}/study.json"
TEMPLATES = os.path.relpath(HERE.parent / "templates")
# What is drawn, loaded, measured, trained or explained lies where a digest of all that it depends on says: the settings,
# the user's own files, the code, the libraries. A study that is changed and changed back finds it again.
IDS = {place(spec): spec.id for spec in SPECS}
GRAPHS = list(IDS)
# Every measuring job in the design's order, by the name of its folder: some graphs are measured more than once.
VISITS = {visit.name: visit for visit in visits(study)}
PRIORITIES = {name: len(VISITS) - at for at, name in enumerate(VISITS)}
DRAWN = f"results/graphs/{fingerprint.of_graphs()}"
MEASURED = f"{RESULTS}/measurements/{fingerprint.of_measuring(study)}"
TRAINED = f"{RESULTS}/training/{fingerprint.of_training(study)}"
# Of a trained Vision GNN, where the study names one.
EXPLAINED = (
    [f"{RESULTS}/explained/{fingerprint.of_explaining(study)}.json"]
    if study.explained
    else []
)
# What counting ego networks costs, where the study has any.
EGOS = [
    spec for spec in SPECS if isinstance(spec, EgoGraph) and spec.form == "encodings"
]
ENCODINGS = (
    [f"{RESULTS}/encodings/{fingerprint.of_encoding(EGOS)}.json"] if EGOS else []
)
# The options that hand both to a command; nothing of what the study does not have.
BESIDE = " ".join(
    f"--{name} {file}"
    for name, files in (("explanations", EXPLAINED), ("encodings", ENCODINGS))
    for file in files
)


wildcard_constraints:
    graph="[A-Za-z0-9_.-]+",
    visit="[A-Za-z0-9_.-]+",
    # Named one by one: SAGE-max has a hyphen, and so have the names of graphs.
    convolution="|".join({*CONVOLUTIONS, *study.architecture.convolutions}),


onstart:
    if warning := unprinted(study):
        print(f"warning: {warning}", file=sys.stderr, flush=True)
    # Each job reads this file anew on its own machine, and must find the same folders.
    if workflow.non_local_exec and not study.hardware.slug:
        print(
            "error: elsewhere than here this machine's name says nothing: name the type of machine that measures, "
            "lower-case words joined by -, as in --config hardware='{slug: epyc-9654-192c}'",
            file=sys.stderr,
            flush=True,
        )
        os._exit(2)
    # The kernel releases this lock when the process ends, however it ends; Snakemake's own outlives a kill -9.
    Path("results").mkdir(exist_ok=True)
    run_lock = open("results/.running", "a")
    globals()["run_lock"] = run_lock
    try:
        fcntl.flock(run_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(
            f"error: another run is at work in {os.getcwd()}; wait for it to end, or stop it first",
            file=sys.stderr,
            flush=True,
        )
        os._exit(2)
    write_json(
        Path(STUDY), study.model_dump(mode="json", by_alias=True, exclude_none=True)
    )
    seal(Path(STUDY))
    # A model of the user's own is tried before anything is measured, where this process may import torch.
    if study.architecture.module and importlib.util.find_spec("torch"):
        command = [sys.executable, "-m", "gnn_checkpointing", "model", "--study", STUDY]
        if subprocess.run(command, stdout=subprocess.DEVNULL).returncode:
            os._exit(2)


rule hardware:
    output:
        f"{RESULTS}/hardware.json",
    log:
        f"{RESULTS}/logs/hardware.log",
    conda:
        "../envs/gnn_checkpointing.yaml"
    resources:
        # The share of a machine that measuring has, so that both see the same one.
        cpus_per_task=study.measurement.threads,
    params:
        study=STUDY,
        versions=library_versions(),
        settings=[
            study.measurement.threads,
            study.measurement.allocators,
            study.hardware.label,
        ],
    shell:
        "python -m gnn_checkpointing hardware --study {params.study} --output {output} > {log} 2>&1"
