"""The study of this run, read and checked, and the folders that it fills."""

import os
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import update_config, validate

from gnn_checkpointing.artefacts import digest
from gnn_checkpointing.study.contents import Memory, with_contents
from gnn_checkpointing.measurement import fingerprint
from gnn_checkpointing.measurement.fingerprint import code_fingerprint, library_versions
from gnn_checkpointing.measurement.forked import RUN, this_run
from gnn_checkpointing.measurement.hardware import hardware_slug
from gnn_checkpointing.study import design
from gnn_checkpointing.study.convolutions import CONVOLUTIONS
from gnn_checkpointing.study.graph_design import encoded_graphs, place, study_graphs
from gnn_checkpointing.study.design import visits
from gnn_checkpointing.study.options import option_values
from gnn_checkpointing.study.reading import parse_study, refuse_unmeasurable


def refuse_by_schema():
    """Snakemake's own check, which is stricter than Python's reading: a number in quotes is no number."""
    try:
        validate(config, str(HERE / "studies/schema.json"), set_default=False)
    except WorkflowError as error:
        wrong = error.__context__
        key = ".".join(map(str, wrong.absolute_path)) or "study"
        raise Refusal(
            f"{source}: key {key}: {wrong.message[:200]} (by workflow/studies/schema.json, which `make schema` writes); see workflow/studies/README.md"
        ) from None


try:
    for folder in ("results", "report"):
        if os.path.lexists(folder) and not os.path.isdir(folder):
            raise Refusal(
                f"{folder} in {os.getcwd()} is no folder, and is where results go: rename it, or name another folder with --directory"
            )
    if set("{}") & set(str(HERE)):
        raise Refusal(
            f"{HERE.parent}: Snakemake takes braces in the name of a folder for wildcards; rename it"
        )
    files = workflow.overwrite_configfiles or workflow.configfiles
    source = ", ".join(map(str, files)) or DEFAULT
    if workflow.modifier.is_main_snakefile() and len(files) > 1:
        raise Refusal(
            f"{source}: Snakemake would merge these into a study that nobody wrote; name one, and change keys with --config"
        )
    # Snakemake's own reader takes the last of two equal keys without a word.
    for file in files:
        refuse_other_than_keys(read_yaml(Path(file)), str(file))
    # And it reads 010 as 10, and what braces hold as texts.
    if workflow.modifier.is_main_snakefile():
        given = workflow.config_settings.config_args
        update_config(config, option_values(given))
        source += " with --config" if given else ""
    study = parse_study(config, source)
    refuse_by_schema()
    refuse_unmeasurable(study, source)
    # From here on the study lists the checksums of the user's own files that it reads.
    study = with_contents(study, Memory(Path("results/.checksums.json")))
    SPECS = study_graphs(study)
except Refusal as refusal:
    refuse(refusal)

# Measured processes of one run share the import of torch; what has imported it ends with this process.
os.environ[RUN] = this_run()
RESULTS = f"results/{hardware_slug(study)}/{study.name}"
REPORT = f"report/{hardware_slug(study)}/{study.name}"
STUDY = f"{RESULTS}/study.json"
SHOWN = study.model_dump(mode="json", by_alias=True, exclude_none=True)
# Where nodes share no folder the study is an input of every job, and what has no digest of its settings in its path is
# made again whenever the study is changed. So it is in another workflow, which calls no `onstart` of a module. Elsewhere
# it is written when a run starts.
REMOTE = workflow.storage_settings.default_storage_provider is not None
HANDED = [] if workflow.modifier.is_main_snakefile() and not REMOTE else [STUDY]
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
EGOS = encoded_graphs(study)
ENCODINGS = (
    [f"{RESULTS}/encodings/{fingerprint.of_encoding(EGOS)}.json"] if EGOS else []
)


def handed(wildcards, input):
    """The study's file, for jobs that read it."""
    return input.study or STUDY


def beside(wildcards, input):
    """The options that hand both to a command; nothing of what the study does not have."""
    given = (("explanations", input.explanations), ("encodings", input.encodings))
    return " ".join(f"--{name} {file}" for name, file in given if file)
