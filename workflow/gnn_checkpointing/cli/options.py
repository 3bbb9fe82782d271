"""Options that several commands share: a name means the same file or choice wherever it is taken."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number


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


def progress(done: int, of: int) -> None:
    """Show how many images of how many are done."""
    print(f"\r{done} of {of} images", end="\n" if done == of else "", file=sys.stderr, flush=True)
