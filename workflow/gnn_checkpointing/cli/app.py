"""All commands in the order of the data, and options that several of them share.

A command's options are read from its function's signature: a name means the same file or choice wherever it is taken.
"""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, get_args

from cyclopts import App, Parameter, Token, convert
from cyclopts.validators import Number
from rich.console import Console

from gnn_checkpointing import __version__


def says(text: str) -> Parameter:
    """An option whose help is `text`; its name is that of the command's parameter."""
    return Parameter(help=text)


Study = Annotated[Path, says("study file")]
STUDY = Path("config.yaml")
Run = Annotated[Path, says("folder of a run: results/<hardware>/<study>, or of a published report")]
Output = Annotated[Path, says("file to be written")]
OutputFolder = Annotated[Path, says("folder to be written")]
HardwareFile = Annotated[Path, says("hardware.json of the measurements")]
TypeOfMachine = Annotated[
    Path | None, says("hardware.json of the results: another type of machine is refused (default: any will do)")
]
GraphId = Annotated[str, says("a graph's id; `design` lists them")]
GraphFile = Annotated[Path, says("the graph's .npz")]
Measurements = Annotated[Path, says("folder with one folder of records per graph")]
Training = Annotated[list[Path] | None, Parameter(help="records of training jobs", consume_multiple=True)]
Step = Annotated[Path, says("what `demonstrate` wrote")]
Explanations = Annotated[Path | None, says("explained.json: a trained Vision GNN on images (default: none)")]
Encodings = Annotated[Path | None, says("encodings.json: what counting ego networks cost (default: none)")]
Templates = Annotated[Path, says("folder of templates")]
Reports = Annotated[Path, says("folder of all reports, <hardware>/<study>/ below it")]
Seconds = Annotated[float, Parameter(help="to check one report at most", validator=Number(gt=0, lte=1e6))]
Visit = Annotated[
    int, Parameter(help="how often the graph was measured before in this run", validator=Number(gte=0, lte=2))
]
AtLeastOne = Annotated[int, Parameter(validator=Number(gte=1))]

_NUMBERS = {int: r"[-+]?\d+", float: r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?"}


def _converted(kind: Any, tokens: Sequence[Token]) -> Any:
    """What an option is given, as its type; a number is written as everyone reads it: not 1_000, 0x10 or rounded."""
    if Path in (kind, *get_args(kind)) and not all(token.value for token in tokens):
        raise ValueError("an empty path, which would be the folder where the command runs; write . for that")
    for number, form in _NUMBERS.items():
        if number in (kind, *get_args(kind)):
            for token in tokens:
                if not re.fullmatch(form, token.value, re.ASCII):
                    raise ValueError(f"a {'whole ' * (number is int)}number is needed, in digits such as 1000")
    found = convert(kind, tokens)
    # No shell reads the ~ of --output=~/file, and a folder called ~ is a trap. Path.expanduser raises at no such user.
    return Path(os.path.expanduser(found)) if isinstance(found, Path) else found  # noqa: PTH111


app = App(
    name="python -m gnn_checkpointing",
    help="What gradient checkpointing does to memory and throughput of GNNs, measured across densities.\n\n"
    "Example: python -m gnn_checkpointing design --study config.yaml\n\n"
    "With --debug, a fault of the program shows its traceback.",
    version=__version__,
    # Plain text can be read in any terminal, and half the time of starting goes into drawing boxes.
    help_format="plaintext",
    help_formatter="plain",
    console=Console(width=120, highlight=False, emoji=False, markup=False),
    default_parameter=Parameter(negative=(), converter=_converted),
)

# Help is written here, not taken from docstrings, which `python -OO` leaves out. Their modules are imported when one of
# their commands runs: help comes at once.
COMMANDS = {
    "designing:design": "Print the study's cells in the order they are measured, one line each.",
    "designing:model": "Try the study's own model on small graphs: what it has, or why it cannot be measured.",
    "designing:schema": "Print the JSON schema of a study file, of claims.json or of summary.json.",
    "designing:hardware": "Write what this machine is: slug, label, processor, memory, versions.",
    "designing:graph": "Draw or load one graph of the study and write it as .npz.",
    "designing:describe": "Print what a folder of three CSV files holds, or which line of them is wrong.",
    "measuring:measure": "Measure every cell of one graph: all policies side by side, alone on the machine.",
    "measuring:train": "Train one convolution on one graph under each policy, and once with reordered edges.",
    "measuring:demonstrate": "Run one step of known peak memory and write what right and wrong instruments read.",
    "measuring:demonstration": "Join what `demonstrate` found with Snakemake's benchmark of it.",
    "measuring:collect": "Gather all records of a study: measurements.csv and the files beside it.",
    "measuring:freeze": "Lay out what was measured by hand as the folder that `rebuild` takes.",
    "measuring:explanations": "Measure the graph of every block on the images that a study names.",
    "measuring:encode": "Measure what counting the ego networks of a study's graphs takes, alone on the machine.",
    "judging:analyse": "Fit laws, pair effects, test interactions; write one JSON file for each.",
    "judging:judge": "Judge every claim by its rule; write claims.json.",
    "judging:audit": "Ask whether the data can be believed, one published question at a time; write audit.json.",
    "judging:knowledge": "Write planner.json: what a planner knows after the study.",
    "publishing:report": "Render report.html and report.pdf, with the data beside them.",
    "publishing:rebuild": "Make a published report again from the data beside it: no torch, no measuring, same bytes.",
    "publishing:validate": "Compute published reports again from their records, and say what speaks against them.",
    "publishing:compare": "Compare machines by their published reports; write comparison.json and comparison.html.",
    "designing:export": "Write a published report's measurements as Parquet, CSV or JSON with units.",
    "publishing:index": "Write the index of all reports, and the comparison of machines beside it.",
    "planning:plan": "Say what each policy would need on your graph in your memory, and which one to take.",
    "showing:trace": "Write a step's memory, layer by layer, as a trace that ui.perfetto.dev opens.",
    "showing:explain": "Measure a Vision GNN's graphs on your images; draw curves and one image's patch graph.",
}
for place, (command, help_text) in enumerate(COMMANDS.items()):
    app.command(f"gnn_checkpointing.cli.{command}", help=help_text, sort_key=place)


def progress(done: int, of: int) -> None:
    """Show how many images of how many are done."""
    print(f"\r{done} of {of} images", end="\n" if done == of else "", file=sys.stderr, flush=True)
