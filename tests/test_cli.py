"""Commands work by hand: each has help; bad input gives one sentence and exit code 2, and no partial output."""

import inspect
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from pkgutil import resolve_name
from typing import get_type_hints

import pytest

from gnn_checkpointing.artefacts import write_json
from gnn_checkpointing.cli import app, main
from gnn_checkpointing.packed import bounded_bytes
from synthetic.planner import knowledge

pytestmark = pytest.mark.usefixtures("forked")
ROOT = Path(__file__).resolve().parent.parent
COMMANDS = (
    "design", "schema", "hardware", "graph", "describe", "measure", "train", "demonstrate", "demonstration",
    "collect", "freeze", "analyse", "judge", "audit", "knowledge", "report", "rebuild", "validate",
    "compare", "index", "plan", "explain", "explanations", "encode", "export", "trace",
)  # fmt: skip


def run(*arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gnn_checkpointing", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd)


def first_graph(study: Path) -> str:
    return run("design", "--study", study).stdout.splitlines()[1].split("\t")[1]


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., None]:
    """Function that runs a command and checks that it is refused in one sentence with these words."""
    monkeypatch.chdir(ROOT)

    def check(arguments: tuple[object, ...], *words: str) -> None:
        assert main([str(argument) for argument in arguments]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("error: ")
        assert all(word in line for word in words), line

    return check


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert len(capsys.readouterr().out.splitlines()) > 3


def test_the_design_lists_every_cell_once() -> None:
    lines = run("design").stdout.splitlines()[1:]
    first = [line for line in lines if line.endswith("\t0")]
    grid, large, practice = 6 * 3 * 2 * 3, 3, 2 * 3
    assert len({line.split("\t")[0] for line in first}) == len(first) == grid + large + practice
    # Three graphs are visited twice more, under each of three convolutions.
    assert len(lines) - len(first) == 3 * 2 * 3


@pytest.mark.parametrize(
    "command",
    [
        "design",
        "measure --graph g --graph-file g.npz --output complete.json",
        "train --graph g --graph-file g.npz --convolution GATv2 --output trained.json",
    ],
)
def test_a_policy_of_older_reports_is_read_but_not_measured(
    command: str, tmp_path: Path, refused: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "workflow/studies/dense.yaml").read_text()
    (tmp_path / "study.yaml").write_text(text.replace("fused_edge_blocks", "compiled_edge_blocks"))
    words = ("study.yaml: key policies: policy compiled_edge_blocks is no longer available", "replace it")
    refused((*command.split(), "--study", tmp_path / "study.yaml"), *words)
    assert [file.name for file in tmp_path.iterdir()] == ["study.yaml"]


def test_bad_input_is_one_sentence(tmp_path: Path, refused: Callable[..., None]) -> None:
    smoke = ROOT / "workflow/studies/smoke.yaml"
    output = tmp_path / "out"
    refused(("design", "--study", tmp_path / "none.yaml"), "none.yaml", "no such study")
    refused(("design", "--study=~/none.yaml"), f"{Path.home()}/none.yaml", "no such study")
    refused(("graph", "--study", smoke, "--graph", "g", "--output", output), "no graph g", "`design` lists")
    refused(
        ("collect", "--study", smoke, "--measurements", tmp_path, "--output-folder", output),
        "complete.json",
        "no such file",
    )
    graph = first_graph(smoke)
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"PK not a zip")
    records = tmp_path / "records" / "complete.json"
    measure = ("measure", "--study", smoke, "--graph", graph, "--graph-file", broken)
    refused((*measure, "--output", records), "broken.npz")
    refused((*measure, "--output", output), "must be called complete.json")
    write_json(tmp_path / "hardware.json", {"slug": "other", "facts": [{"name": "cores", "value": "no number"}]})
    other = ("--hardware-file", tmp_path / "hardware.json", "--output", records)
    refused((*measure, *other), "another type", "not no number")
    train = ("train", "--study", smoke, "--graph", graph, "--graph-file", broken, "--output", output)
    found = run(*train, "--convolution", "X")
    assert found.returncode == 2
    assert "--convolution X" in found.stderr and "GCN, GATv2" in found.stderr
    assert not output.exists()
    assert not records.exists()


def test_a_folder_of_tables_is_described_or_its_wrong_line_named(tmp_path: Path, refused: Callable[..., None]) -> None:
    sample = ROOT / "workflow/studies/sample_graph"
    found = run("describe", "--csv", sample)
    assert found.returncode == 0
    assert found.stdout.splitlines()[0] == "nodes: 200, 0 of them without edges"
    broken = tmp_path / "mine"
    shutil.copytree(sample, broken)
    with (broken / "edges.csv").open("a") as stream:
        stream.write("n001,n999\n")
    refused(("describe", "--csv", broken), "edges.csv, line 802", "target n999", "features.csv")
    study = ROOT / "workflow/studies/own.yaml"
    own = ("graph", "--study", study, "--graph", first_graph(study), "--output", tmp_path / "graph.npz")
    assert run(*own).returncode == 0


@pytest.mark.parametrize("shell", ["", "set -e; "])
def test_measuring_works_by_hand_without_snakemake(tmp_path: Path, shell: str) -> None:
    study = ROOT / "workflow/studies/smoke.yaml"
    graph = first_graph(study)
    python = f"{sys.executable} -m gnn_checkpointing"
    script = (
        f"{shell}{python} graph --study {study} --graph {graph} --output graph.npz && "
        f"{python} measure --study {study} --graph {graph} --graph-file graph.npz --output records/complete.json"
    )
    found = subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    assert "2 of 16: " in found.stderr
    assert len(list((tmp_path / "records").glob("*.json"))) == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), ("which graph?", "--known NAME")),
        (("--known", "Redit"), ("known are", "Reddit")),
        (("--known", "Cora", "--nodes", 5), ("which graph?", "keep one of them")),
        *(
            (("--known", "Cora", f"--features={text}"), ("--features", "a whole number is needed"))
            for text in ("3.7", "1.0", "1_000", "0x10", "\uff11", " 5", "nan", "")
        ),
        *(
            (("--known", "Cora", f"--memory-gib={text}"), ("--memory-gib", "a number is needed"))
            for text in ("nan", "inf", "1_000", "\uff11", "", "0x1p3")
        ),
        (("--known", "Cora", "--memory-gib=1e30"), ("above 0 and up to 1,000,000,000, in GiB",)),
        (("--npz", "/dev/null"), ("--npz /dev/null: a device or pipe",)),
        (("--known", "Cora", "--layers", 999999, "--exact"), ("--exact: field num_layers", "10000")),
        (("--nodes", 10**9, "--edges", 10, "--exact"), ("--exact: 1,000,000,000 nodes; at most 50,000,000",)),
        (("--nodes", 10**6, "--edges", 10**11, "--exact"), ("--exact: 50,000 blocks of edges; at most 20,000",)),
        (("--known", "Cora", "--features", 0), ("num_features 0: allowed are whole numbers from 1",)),
        (("--nodes", 10, "--edges", 1000), ("10 nodes have 0 to 90 directed edges",)),
        (("--known", "Cora", "--convolution", "Gin"), ("has no law for it; allowed: GCN, SAGE, GATv2",)),
    ],
)
def test_a_plan_that_cannot_be_made_is_one_sentence(
    arguments: tuple[object, ...], words: tuple[str, ...], refused: Callable[..., None]
) -> None:
    convolution = () if "--convolution" in arguments else ("--convolution", "GATv2")
    memory = () if any("--memory-gib" in str(one) for one in arguments) else ("--memory-gib", 8)
    refused(("plan", *memory, *convolution, *arguments), *words)


def test_no_command_writes_over_what_it_reads(tmp_path: Path, refused: Callable[..., None]) -> None:
    study = tmp_path / "mine.yaml"
    shutil.copy(ROOT / "workflow/studies/smoke.yaml", study)
    (tmp_path / "link").symlink_to(study)
    for output in (study, tmp_path / "link"):
        refused(("hardware", "--study", study, "--output", output), "is the file of --study, too; name another one")
    assert study.read_text().startswith("# A few small cells")
    (report,) = ROOT.glob("report/*/ten-million")
    shutil.copytree(report, tmp_path / "mine")
    for output in (tmp_path / "x/../mine", tmp_path / "mine/in/it"):
        refused(("export", tmp_path / "mine", "--format=csv", "--output-folder", output), "lies in the report's own")
    assert not [*(tmp_path / "mine").rglob("datapackage.json")]


def code_of(arguments: list[str]) -> object:
    try:
        return main(arguments)
    except SystemExit as ended:  # from `validate`, which has printed the reason
        return ended.code


HOSTILE = ("pipe", "loop", "nowhere", "folder", "empty", "noise", "x" * 300, "\udcff", "", "a\0b")


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"schema", "demonstrate"}))
def test_a_path_to_anything_is_one_sentence(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each path that a command reads is hostile in turn, the others missing; no file is written or removed."""
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    Path("loop").symlink_to("loop")
    Path("folder").mkdir()
    Path("empty").touch()
    Path("noise").write_bytes(bytes(range(256)))
    there = sorted(tmp_path.rglob("*"))
    place = next(one for one in app.COMMANDS if one.endswith(f":{command}"))
    function = resolve_name(f"gnn_checkpointing.cli.{place}")
    kinds = get_type_hints(function)
    options = {name: one for name, one in inspect.signature(function).parameters.items() if "Path" in str(kinds[name])}
    read = [name for name in options if name not in ("output", "output_folder", "log", "templates")]
    asked = [one for one in inspect.signature(function).parameters.values() if one.default is one.empty]
    for name in read:
        for hostile in HOSTILE:
            given = {one.name: {"memory_gib": "2"}.get(one.name, "nowhere") for one in asked} | {name: hostile}
            if "output" in given:
                given["output"] = "out/complete.json"
            words = [
                given[one] if options.get(one) and options[one].kind is not inspect.Parameter.KEYWORD_ONLY
                else f"--{one.replace('_', '-')}={given[one]}"
                for one in given
            ]  # fmt: skip
            assert code_of([command, *words]) == 2, (words, capsys.readouterr())
            assert all(line.startswith(("error: ", "warning: ")) for line in capsys.readouterr().err.splitlines()), (
                words
            )
            assert sorted(tmp_path.rglob("*")) == there, words


@pytest.mark.parametrize("wrong", ["hardware_file", "step", "measurements", "explanations", "encodings"])
def test_nothing_is_frozen_where_a_part_is_wrong(wrong: str, tmp_path: Path, refused: Callable[..., None]) -> None:
    given = {"hardware_file": tmp_path / "hardware.json", "step": tmp_path / "step.json", "measurements": tmp_path}
    (report,) = ROOT.glob("report/*/default")
    shutil.copy(report / "hardware.json", given["hardware_file"])
    names = ("benchmark_max_rss_bytes", "benchmark_seconds")
    step = json.loads(bounded_bytes(report / "demonstration.json"))
    write_json(given["step"], {name: value for name, value in step.items() if name not in names})
    (tmp_path / "wrong.json").write_text('{"x": 1}')
    given[wrong] = tmp_path if wrong == "measurements" else tmp_path / "wrong.json"
    options = [f"--{name.replace('_', '-')}={path}" for name, path in given.items()]
    study, output = ROOT / "workflow/studies/smoke.yaml", tmp_path / "out"
    refused(("freeze", f"--study={study}", *options, f"--output-folder={output}"), given[wrong].name)
    assert not output.exists()


def test_what_a_planner_of_another_says_cannot_steer_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_json(tmp_path / "planner.json", knowledge().model_dump(mode="json") | {"machine": "\x1b[2J\u202egood"})
    asked = ("--nodes=1000", "--edges=50000", "--convolution=GATv2", "--memory-gib=8")
    assert main(["plan", f"--planner={tmp_path}/planner.json", *asked]) == 0
    assert r"laws of \x1b[2J\u202egood" in capsys.readouterr().out


def test_a_plan_adds_exact_peaks_on_request() -> None:
    (planner,) = ROOT.glob("report/*/default/planner.json")  # three policies, where the machine has ten
    asked = ("--known", "Cora", "--convolution", "GATv2", "--memory-gib", 8, "--planner", planner)
    found = run("plan", *asked, "--exact")
    assert found.returncode == 0, found.stderr
    assert "Peak memory by fake tensors:\n  none: " in found.stdout
    assert "Beware: Models of 32 input features were measured" in found.stdout
