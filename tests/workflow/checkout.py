"""A copy of the project in which a test runs Snakemake, and looks at what it does."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("Snakefile", "config.yaml", "workflow", "templates", "profiles", "pyproject.toml")
SMOKE = "workflow/studies/smoke.yaml"


class Checkout:
    """A copy of the project in which a test may change anything."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                # With what Python has compiled; not what another process is writing there.
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("*.egg-info", "*.pyc.*", ".*"))
            else:
                shutil.copy(source, folder / name)
        binaries = str(Path(sys.executable).parent)
        self.environment = os.environ | {
            "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(folder / "workflow"),  # the copy's code, not the installed one
            "TMPDIR": str(folder),
            "GNN_CHECKPOINTING_LOCK": str(folder / ".lock"),
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = ["snakemake", "--cores", "8", "--configfile", SMOKE, *arguments]
        return subprocess.Popen(
            command, cwd=self.folder, env=self.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def run(self, *arguments: str) -> str:
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=600)
        assert process.returncode == 0, output[-6000:]
        return output

    def refused(self, *arguments: str) -> str:
        """What a run says that ends with exit code 2, with one sentence and without a traceback."""
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=300)
        assert process.returncode == 2
        assert "Traceback" not in output
        assert len(re.findall("^error: ", output, re.MULTILINE)) == 1
        return output

    def jobs(self, *arguments: str) -> Counter[str]:
        """Run, and return how many jobs of each rule there were."""
        return Counter(re.findall(r"^(?:local)?rule (\w+):$", self.run(*arguments), re.MULTILINE))

    def planned(self, *arguments: str) -> dict[str, int]:
        """How many jobs of each rule a dry run plans."""
        return counts(self.run("--dry-run", "--quiet", "rules", *arguments))

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    def records(self) -> dict[Path, int]:
        found = self.folder.glob("results/*/smoke/measurements/*/*/*.json")
        return {path: path.stat().st_mtime_ns for path in found if path.name != "complete.json"}


def counts(said: str) -> dict[str, int]:
    """How many jobs of each rule a quiet dry run lists."""
    found = re.findall(r"^(\w+) +(\d+)$", said, re.MULTILINE)
    return {rule: int(count) for rule, count in found if rule != "total"}


def measuring(folder: Path) -> list[int]:
    """The processes that measure for the checkout in `folder`."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            command, where = (place / "cmdline").read_bytes(), (place / "cwd").readlink()
        except OSError:
            continue
        if where == folder and b"gnn_checkpointing" in command:
            found.append(int(place.name))
    return found
