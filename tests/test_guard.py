"""The guard around all commands: any error gives one sentence and an exit code, in any encoding."""

import gc
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from gnn_checkpointing import cli, refusal
from gnn_checkpointing.cli import publishing
from gnn_checkpointing.report import letters
from gnn_checkpointing.study import reading
from lightly import LIGHTLY
from rebuilt import ROOT, packed, published
from report.test_rebuild import MAIN


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "gnn_checkpointing", *arguments]
    return subprocess.run(command, capture_output=True, cwd=ROOT, env=os.environ | environment)


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(path: Path) -> None:
        raise error

    monkeypatch.setattr(reading, "read_study_to_measure", fail)


@pytest.mark.faults_expected
@pytest.mark.parametrize("debug", [False, True])
def test_a_fault_is_one_sentence_and_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], no_fault: Path, debug: bool
) -> None:
    failing(monkeypatch, KeyError("height"))
    assert cli.main(["design", *["--debug"] * debug]) == 70
    told = capsys.readouterr().err
    assert ("Traceback" in told) == debug
    assert told.splitlines()[-1].startswith("error: design failed by a fault of the program (KeyError: 'height', in ")
    assert "--debug" in told
    assert "KeyError: 'height'" in no_fault.read_text()


def test_a_library_that_fails_while_it_is_imported_is_no_fault_of_the_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Examples: matplotlib with MPLBACKEND=nonsense, torch with TORCH_LOGS=nonsense, many with PYTHONWARNINGS=error."""
    (tmp_path / "matplotlib.py").write_text("raise ValueError('no\\nbackend ' + 1000 * 'x')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "matplotlib", raising=False)
    monkeypatch.setattr(reading, "read_study_to_measure", lambda path: letters.font_folder())
    assert cli.main(["design"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: design: `from matplotlib import get_data_path` fails (ValueError: no backend xxx")
    assert line.endswith("unset the variables that libraries read, such as TORCH_LOGS, MPLBACKEND or PYTHONWARNINGS")
    assert len(line) < 500


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (refusal.Refusal("config.yaml: no"), 2, "error: config.yaml: no"),
        (MemoryError(), 2, "design ran out of memory; free some"),
        (RuntimeError("[enforce fail] can't allocate memory"), 2, "design ran out of memory; free some"),
        (KeyboardInterrupt(), 130, "design was interrupted"),
        (ModuleNotFoundError("no", name="pandas.core"), 2, "design needs pandas, which is not installed"),
        (OSError(40, "Too many levels of symbolic links", "a/b"), 2, "a/b: too many levels of symbolic links"),
        (OSError(28, "No space left on device"), 2, "no space left on device; free some space"),
        (OSError(116, "Stale file handle"), 2, "stale file handle; the disk does not answer; look at it"),
        (OSError(28, "No space left", "font.ttf", None, "full/font.ttf"), 2, "error: full/font.ttf: no space left"),
        (FileNotFoundError(2, "No usable temporary directory found in ['/tmp']"), 2, "free some space, or name one in"),
    ],
)
def test_everything_else_is_a_sentence_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, code: int, words: str
) -> None:
    failing(monkeypatch, error)
    assert cli.main(["design"]) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line


def test_an_interrupt_before_the_guard_is_there_is_a_sentence_of_its_own() -> None:
    module = "gnn_checkpointing.measurement.forked"
    code = (
        "import runpy, sys\nclass Slow:\n    def __getattr__(self, name):\n        raise KeyboardInterrupt\n"
        f"sys.modules['{module}'] = Slow()\nrunpy.run_module('gnn_checkpointing', run_name='__main__')"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (found.returncode, found.stderr) == (130, "error: interrupted; run it again to resume\n")


def test_a_package_that_a_command_lacks_is_named() -> None:
    code = "import sys; sys.modules['pydantic'] = None; from gnn_checkpointing.cli import main; "
    code += "sys.exit(main(['judge', '--run', 'x']))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert (found.returncode, found.stderr.count("\n")) == (2, 1)
    assert found.stderr.startswith("error: judge needs pydantic, which is not installed; pip install")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nope"], "unknown command nope; allowed: design, model"),
        (["mesure"], "(did you mean measure?)"),
        (["-"], "unknown command -"),
        (["--hlep"], "unknown command --hlep (did you mean --help?)"),
        (["\u2013help"], "\u2013help: begins with a dash that options do not; write it anew, with two hyphens"),
        (["plan", "\u2014nodes=5"], "\u2014nodes=5: begins with a dash that options do not"),
        (["design", "config.yaml"], "config.yaml belongs to no option; --help lists what is allowed"),
        (["design", "--stud", "x"], "--stud"),
        (["graph"], "--graph requires an argument"),
        *(
            (["explain", option, "0", "--images", "i", "--weights", "w", "--output-folder", "o"], option)
            for option in ("--batch", "--k", "--side", "--most", "--threads")
        ),
        (["measure", "--visit=3", "--graph=g", "--graph-file=f", "--output=complete.json"], "--visit"),
        (["schema", "--of", "x"], '"study", "claims", "summary"'),
        (["rebuild", "--frozen=x", "--templates=templates", "--output-folder="], "--output-folder"),
        (["graph", "--graph=g", "--output", ""], "an empty path"),
    ],
)
def test_a_wrong_option_is_one_sentence(capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    assert cli.main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line


@pytest.mark.parametrize("argument", ["-", "--nope", "nope"])
def test_what_is_no_command_is_answered_at_once(argument: str) -> None:
    """Without the modules of commands, which import torch."""
    code = f"import sys; from gnn_checkpointing.cli import main; main([{argument!r}]); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL).returncode == 0


def test_garbage_is_looked_for_again_after_a_command(tmp_path: Path) -> None:
    given = ["--reports", str(tmp_path / "none"), "--templates", str(ROOT / "templates"), "--output", "x"]
    assert cli.main(["index", *given]) == 2
    assert gc.isenabled()


def test_a_command_that_is_told_to_end_leaves_no_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(publishing, "measured_complaints", lambda run: signal.raise_signal(signal.SIGTERM))
    before = signal.signal(signal.SIGTERM, lambda *_: pytest.fail("it ended at once"))
    try:
        options = ["--templates", str(ROOT / "templates"), "--output-folder", str(tmp_path / "out")]
        assert cli.main(["rebuild", "--frozen", str(published("families")), *options]) == 130
    finally:
        signal.signal(signal.SIGTERM, before)
    assert capsys.readouterr().err == "error: rebuild was interrupted; run it again to resume\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "error: --templates: index.html: missing; correct it"),
        (
            "one\n{% if %}",
            "error: --templates: index.html, line 2: Expected an expression, got 'end of statement block'",
        ),
        ("{{ nobody.knows }}", "error: --templates: one of them: 'nobody' is undefined; correct it"),
    ],
)
def test_a_template_that_is_missing_or_wrong_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, words: str
) -> None:
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    page = tmp_path / "templates/html/index.html"
    page.unlink() if content is None else page.write_text(content)
    (tmp_path / "report").mkdir()
    options = ["--templates", str(tmp_path / "templates"), "--output", str(tmp_path / "index.html")]
    assert cli.main(["index", "--reports", str(tmp_path / "report"), *options]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line


@pytest.mark.parametrize("encoding", ["ascii", "gbk", "utf-16", "utf-8"])
def test_any_encoding_can_show_a_plan(encoding: str) -> None:
    found = run("plan", "--known", "Cora", "--convolution", "GATv2", "--memory-gib", "8", PYTHONIOENCODING=encoding)
    assert found.returncode == 0, found.stderr
    assert "MiB" in found.stdout.decode(encoding)


def test_help_is_there_without_docstrings() -> None:
    assert run("design", "--help", PYTHONOPTIMIZE="2").stdout == run("design", "--help").stdout != b""


def test_help_comes_at_once() -> None:
    """Takes 0.15 s on an idle machine; the bar is 0.6 s of processor time, which other processes hardly lengthen."""
    before = os.times()
    assert run("--help").returncode == 0
    after = os.times()
    assert after.children_user + after.children_system - before.children_user - before.children_system < 0.6


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb\nc", r"a\x1b[31mb\nc"),
        ("\ud800 \u202e \ue001", r"\ud800 \u202e \ue001"),
        ("x" * 300, f"{'x' * 100}…{'x' * 99}"),
        ("größe 图", "größe 图"),
    ],
)
def test_hostile_text_is_escaped_and_shortened(text: str, shown: str) -> None:
    assert refusal.plain(text) == shown
    assert str(refusal.Refusal(text)) == shown == refusal.plain(shown)


@pytest.mark.parametrize("text", ["x" * 10**7, "x " * 10**7, "\x1b" * 10**6])
def test_no_message_is_long(text: str) -> None:
    assert len(refusal.plain(text)) <= 10_000
    assert len(refusal.shown(text)) <= 1_000


@pytest.mark.slow  # rebuilds a whole report; quick tests above cover terminals of other encodings
def test_a_report_is_the_same_without_docstrings_and_asserts_in_a_terminal_of_ascii(tmp_path: Path) -> None:
    usual = packed("ten-million")
    options = ("--frozen", usual, "--templates", ROOT / "templates", "--output-folder", tmp_path)
    command = [sys.executable, "-c", LIGHTLY + MAIN, "rebuild", *map(str, options)]
    terminal = os.environ | {"PYTHONOPTIMIZE": "2", "PYTHONIOENCODING": "ascii"}
    found = subprocess.run(command, capture_output=True, cwd=ROOT, env=terminal)
    assert found.returncode == 0, found.stderr
    names = sorted(path.relative_to(usual) for path in usual.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert [name for name in names if (usual / name).read_bytes() != (tmp_path / name).read_bytes()] == []
