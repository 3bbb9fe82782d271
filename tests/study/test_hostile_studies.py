"""Studies made to do harm, and hundreds made by chance: each is a plan or one sentence, and nothing else happens."""

from __future__ import annotations

import copy
import string
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from gnn_checkpointing.cli import main

ROOT = Path(__file__).resolve().parents[2]
DEFAULT: dict[str, Any] = yaml.safe_load((ROOT / "config.yaml").read_text())
VISION: dict[str, Any] = yaml.safe_load((ROOT / "workflow/studies/vision.yaml").read_text())
REAL: dict[str, Any] = yaml.safe_load((ROOT / "workflow/studies/own.yaml").read_text())


def planned(text: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Return exit code, output and complaint of `design` for a study file of that text."""
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    code = main(["design", "--study", str(path)])
    told = capsys.readouterr()
    return code, told.out, told.err


def with_line(line: str) -> str:
    """Return the default study with one line instead of its title's."""
    lines = (ROOT / "config.yaml").read_text().splitlines()
    return "\n".join(line if one.startswith("title:") else one for one in lines)


BOMB = "\n".join(["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"] + [
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)
])  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{BOMB}\n{with_line('title: *a9')}", "more than 100000 values once its aliases are followed"),
        (with_line("title: &a [*a]"), "nested deeper than the 40 levels"),
        (with_line("title: " + "[" * 3000), "study.yaml: n"),
        (with_line("title: !!python/object/apply:os.system ['touch hacked']"), "could not determine a constructor"),
        (with_line("title: !!python/name:os.system"), "could not determine a constructor"),
        (with_line("title: 2026-13-45"), "not readable as YAML"),
        (with_line(f"title: {'9' * 5000}"), "not readable as YAML"),
        (with_line(f"title: 0x{'f' * 5000}"), "title"),
        (with_line("title: x\nname: ../../../etc/passwd"), "name"),
        (with_line("title: x\nname: $(touch hacked)"), "name"),
        (with_line("title: x\nname: 'a; touch hacked'"), "name"),
        (with_line("title: x\nhardware: {slug: '../..'}"), "slug"),
        (with_line("title: x\nhardware: {slug: '-rf'}"), "slug"),
        ("title: [", "not readable as YAML"),
        ("\x00", "not readable as YAML"),
        ("", "a study file is a mapping"),
        ("- x", "a study file is a mapping"),
        (" " * 1_100_000, "allowed are 1000000"),
    ],
)
def test_studies_made_to_do_harm(
    text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, output, complaint = planned(text, tmp_path, capsys)
    assert code == 2
    assert output == ""
    assert complaint.startswith("error: ")
    assert len(complaint.splitlines()) == 1
    assert words in complaint
    assert [path.name for path in tmp_path.iterdir()] == ["study.yaml"]


@pytest.mark.parametrize("name", ["../../escape", "a/b", "$(touch hacked)", "x; touch hacked", "<script>", "a\nb"])
def test_real_graphs_with_names_that_lead_elsewhere(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = copy.deepcopy(REAL)
    values["graphs"]["real"][0]["name"] = name
    code, output, complaint = planned(yaml.safe_dump(values), tmp_path, capsys)
    assert (code, output) == (2, "")
    assert "graphs.real.0.name" in complaint


def test_more_graphs_than_anyone_could_measure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = copy.deepcopy(DEFAULT)
    values["graphs"]["generated"][0]["replicates"] = 10**9
    assert "graphs in one grid; allowed are 100000" in planned(yaml.safe_dump(values), tmp_path, capsys)[2]


anything = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20),
        st.sampled_from([0, -1, 1, 2, 3, 64, 10**9, 10**30, 0.5, 1e-300, 1e300, "none", "layers", "GCN", "sbm", "cpu"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text(string.ascii_lowercase + "_", max_size=12), inner, max_size=3),
    ),
    max_leaves=6,
)  # fmt: skip


def places(node: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value in a study."""
    below = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [here, *(place for key, value in below for place in places(value, (*here, key)))]


@st.composite
def studies(draw: st.DrawFn) -> Any:
    """Draw a study that is good but for one to three values, which may be good as well."""
    study = copy.deepcopy(draw(st.sampled_from([DEFAULT, VISION, REAL])))
    for _ in range(draw(st.integers(1, 3))):
        *path, last = draw(st.sampled_from(places(study)[1:]))
        node = study
        for key in path:
            node = node[key]
        if isinstance(node, dict) and draw(st.booleans()) and draw(st.booleans()):
            node.pop(last)
            return study
        node[last] = draw(st.one_of(anything, st.just(node[last])))
        if not isinstance(study, dict) or not places(study)[1:]:
            break
    return study


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(study=studies())
def test_any_study_is_a_plan_or_one_sentence(study: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, output, complaint = planned(yaml.safe_dump(study, allow_unicode=True), tmp_path, capsys)
    event("a plan" if code == 0 else "refused")
    if code == 0:
        header, *cells = output.splitlines()
        assert header.startswith("cell\tgraph")
        assert cells
        ids = [cell.split("\t")[0] for cell in cells]
        assert len(set(ids)) == len(ids)
        assert all(not set(one) - set(string.ascii_letters + string.digits + "-._") for one in ids)
        assert complaint == ""
    else:
        assert code == 2
        assert output == ""
        assert complaint.startswith("error: ")
        assert len(complaint.splitlines()) == 1
