"""The workflow runs from any folder, whatever its own is called and whoever may write there."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from .checkout import ROOT, SMOKE, Checkout


def run(checkout: Checkout, folder: Path, *arguments: str, **environment: str) -> str:
    """What Snakemake says where `folder` is the working folder."""
    command = ["snakemake", "--cores", "2", "--snakefile", str(checkout.folder / "Snakefile"), *arguments]
    done = subprocess.run(
        command, cwd=folder, env=checkout.environment | environment, text=True, capture_output=True, timeout=300
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout + done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "elsewhere").mkdir()
    return tmp_path / "elsewhere"


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """In a folder whose name has a blank, a quote and an umlaut."""
    return Checkout(tmp_path / "Bärbel's clone")


def test_from_another_folder_it_is_the_default_study_and_every_command_names_the_clones_files_whole(
    checkout: Checkout, folder: Path
) -> None:
    """What a shell makes of a rule's line are paths that exist; the last rules use them when all is measured."""
    said = run(checkout, folder, "--dry-run", "--printshellcmds")
    assert "sbm-n1600-d128-r1" in said
    lines = dict(re.findall(r"python -m gnn_checkpointing (\w+) (.*)", said))
    for command in ("report", "index"):
        words = shlex.split(lines[command])
        assert (folder / words[words.index("--templates") + 1]).resolve() == checkout.folder / "templates"


def test_a_study_of_the_working_folder_comes_first(checkout: Checkout, folder: Path) -> None:
    shutil.copy(checkout.folder / SMOKE, folder / "config.yaml")
    assert "/smoke/measurements" in run(checkout, folder, "--dry-run")


@pytest.mark.parametrize("content", [b"", "name: ü".encode("utf-16")])
def test_a_default_study_that_is_none_is_one_sentence(checkout: Checkout, folder: Path, content: bytes) -> None:
    (folder / "config.yaml").write_bytes(content)
    with pytest.raises(AssertionError, match=r"error: config\.yaml: ") as refused:
        run(checkout, folder, "--dry-run")
    assert "Traceback" not in str(refused.value)


def test_a_run_without_cores_ends_in_one_sentence(checkout: Checkout) -> None:
    """Snakemake would wait for ever, without a word."""
    assert "error: --cores 0: no job would ever begin; give 1 or more" in checkout.refused("--cores", "0")
    assert not (checkout.folder / "results").exists()


def test_two_study_files_are_not_merged_into_one_that_nobody_wrote(checkout: Checkout) -> None:
    said = checkout.refused("--configfile", SMOKE, "workflow/studies/own.yaml", "--dry-run")
    assert "smoke.yaml" in said and "own.yaml: Snakemake would merge these" in said


NOT_READABLE = {
    "--config seed: no value; write key=value": ("--config", "seed"),
    "--config: unknown key a.b; allowed: ": ("--config", "a.b=1"),
    "--config: unknown key x; allowed: ": ("-nC", "x=1"),
    "missing.yaml: no such study file": ("--configfiles", "missing.yaml"),
    "utf-16.yaml: not UTF-8 text; save it as UTF-8": ("--configfile", "utf-16.yaml"),
    "a folder: not a plain file": ("--configfile", "a folder"),
    "config.yaml: file exists; name a folder that can be written to by --directory": ("--directory", "config.yaml"),
    "list.yaml: a study file is a mapping": ("--configfile", "list.yaml", "--workflow-profile", "profiles/slurm"),
}


@pytest.mark.parametrize("words", NOT_READABLE)
def test_what_snakemake_would_answer_with_a_traceback_is_one_sentence(checkout: Checkout, words: str) -> None:
    """The profile asks before Snakemake reads it, which no file of the workflow could."""
    (checkout.folder / "utf-16.yaml").write_bytes((checkout.folder / SMOKE).read_text().encode("utf-16"))
    (checkout.folder / "list.yaml").write_text("- x")
    (checkout.folder / "a folder").mkdir()
    assert f"error: {words}" in checkout.refused("--dry-run", *NOT_READABLE[words])
    assert not (checkout.folder / "results").exists()


def test_every_profile_asks_the_same_before_snakemake_reads_its_options() -> None:
    own = [yaml.safe_load(path.read_text()) for path in sorted((ROOT / "profiles").glob("*/config.yaml"))]
    asked = [(one["__use_yte__"], one["__definitions__"]) for one in own]
    assert len(asked) > 1 and asked == asked[:1] * len(asked)


def test_a_cache_that_cannot_be_written_is_one_sentence_that_names_the_variable(checkout: Checkout) -> None:
    checkout.environment["XDG_CACHE_HOME"] = "/proc/none"
    said = checkout.refused("--dry-run")
    assert "error: /proc/none/snakemake/snakemake: no such file or directory; name a folder that can be" in said
    assert "by XDG_CACHE_HOME" in said


def test_braces_in_the_name_of_a_clone_are_one_sentence(tmp_path: Path, folder: Path) -> None:
    checkout = Checkout(tmp_path / "{old}")
    with pytest.raises(AssertionError, match="takes braces in the name of a folder for wildcards; rename it"):
        run(checkout, folder, "--dry-run")


def test_a_file_where_a_folder_is_needed_is_one_sentence(checkout: Checkout) -> None:
    (checkout.folder / "report").write_text("mine")
    (sentence,) = re.findall("^.* is no folder, .*", checkout.refused(), re.MULTILINE)
    assert "report" in sentence and "--directory" in sentence
    assert (checkout.folder / "report").read_text() == "mine"


@pytest.fixture
def read_only(checkout: Checkout) -> Iterator[Checkout]:
    """The checkout where nothing can be written; for root, too, by a mount."""
    place = str(checkout.folder)
    if os.getuid():
        checkout.folder.chmod(0o500)
        yield checkout
        checkout.folder.chmod(0o700)
        return
    mounted = subprocess.run(["mount", "--bind", place, place], capture_output=True).returncode == 0
    if not mounted or subprocess.run(["mount", "-o", "remount,ro,bind", place]).returncode:
        pytest.skip("may not mount a folder here")
    yield checkout
    subprocess.run(["umount", place], check=True)


def test_a_clone_that_may_only_be_read_works_in_another_folder(
    read_only: Checkout, folder: Path, tmp_path: Path
) -> None:
    """A graph is drawn and the machine is described there; without docstrings and asserts.

    What lies there by the name of a library of Python's own is not imported in its place.
    """
    for name in ("random", "queue", "numpy"):
        (folder / f"{name}.py").write_text("raise ImportError('not this one')")
    place = {"TMPDIR": str(tmp_path), "GNN_CHECKPOINTING_LOCK": str(tmp_path / "lock"), "PYTHONOPTIMIZE": "2"}
    study = yaml.safe_load((read_only.folder / SMOKE).read_text())
    study["graphs"]["generated"][0].update(num_nodes=[200], average_degrees=[8])
    one = tmp_path / "one.yaml"
    one.write_text(yaml.safe_dump(study))
    run(read_only, tmp_path, f"--directory={folder}", "--configfile", str(one), "--until", "graph", "hardware", **place)
    assert len(list(folder.glob("results/graphs/*/*.npz"))) == 1
    assert list(folder.glob("results/*/smoke/hardware.json"))
