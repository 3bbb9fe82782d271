"""Studies made to do harm, and hundreds made by chance: each is a plan or one sentence, and nothing else happens."""

import copy
import re
import string
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from hypothesis import event, given
from hypothesis import strategies as st

from faults.drawn import as_often_as_asked
from gnn_checkpointing.cli import main
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study import reading
from gnn_checkpointing.study.reading import parse_study, read_yaml
from synthetic.studies import DEFAULT, OWN, ROOT, VISION, changed


def planned(text: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """Output of `design` for a study file of that text, or one line of complaint and exit code 2."""
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    code = main(["design", "--study", str(path)])
    told = capsys.readouterr()
    assert code == (2 if told.err else 0)
    if told.err:
        assert told.out == ""
        assert told.err.startswith("error: ")
        assert len(told.err.splitlines()) == 1
    return told.out, told.err


def with_line(line: str) -> str:
    """The default study with one line instead of its title's."""
    lines = (ROOT / "config.yaml").read_text().splitlines()
    return "\n".join(line if one.startswith("title:") else one for one in lines)


BOMB = "\n".join(["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"] + [
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)
])  # fmt: skip
MERGED = "\n".join(["a0: &a0 {k: 1}"] + [
    f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 10)
])  # fmt: skip
NAMES = ["../../escape", "a/b", "$(touch hacked)", "x; touch hacked", "<script>", "a\nb"]
TWICE = ["seed: 1\ntitle: a\nseed: 2", "{seed: 1, seed: 2}", '{"seed": 1, "seed": 1}']


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{BOMB}\n{with_line('title: *a9')}", "more than 100000 values once its aliases are followed"),
        (with_line("title: &a [*a]"), "nested deeper than the 40 levels"),
        (with_line("title: " + "[" * 3000), "study.yaml: n"),
        (with_line("title: !!python/object/apply:os.system ['touch hacked']"), "could not determine a constructor"),
        (with_line("title: !!python/name:os.system"), "could not determine a constructor"),
        (with_line("title: !!set {a, b}"), "has no order; write a list"),
        (with_line("title: 2026-13-45"), "not readable as YAML"),
        (with_line("title: !!bool abc"), "a value is not what its !!tag says"),
        (with_line("title: !!timestamp abc"), "a value is not what its !!tag says"),
        (f"{MERGED}\n{with_line('title: x')}", "more than 100000 values once << is followed"),
        (with_line("hardware: &a {<<: *a}"), "nested deeper"),
        (with_line("title: x\ndata_root: ''"), "an empty path"),
        (with_line(f"title: {'9' * 5000}"), "not readable as YAML"),
        (with_line(f"title: 0x{'f' * 5000}"), "title"),
        (with_line("title: x\nname: ../../../etc/passwd"), "name"),
        (with_line("title: x\nname: $(touch hacked)"), "name"),
        (with_line("title: x\nname: 'a; touch hacked'"), "name"),
        (with_line("title: x\nhardware: {slug: '../..'}"), "slug"),
        (with_line("title: x\nhardware: {slug: '-rf'}"), "slug"),
        *((yaml.safe_dump(changed(OWN, "graphs.real.0.name", name)), "graphs.real.0.name") for name in NAMES),
        *((text, "key seed is on line 1 and again on line") for text in TWICE),
        (with_line("title: x\nhardware: {slug: 'a b'}"), "key hardware.slug: lower-case letters and digits are needed"),
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
    assert words in planned(text, tmp_path, capsys)[1]
    assert [path.name for path in tmp_path.iterdir()] == ["study.yaml"]


def places(node: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value in a study."""
    below = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [here, *(place for key, value in below for place in places(value, (*here, key)))]


def at(node: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        node = node[key]
    return node


def numbers(study: Any) -> list[tuple[Any, ...]]:
    """The key of every number of a whole study."""
    return [path for path in places(study) if type(at(study, path)) in (int, float)]


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan"), 10**30, 10**400, -(10**30)])
def test_no_number_key_takes_infinities_or_huge_integers(value: float) -> None:
    """Every number of a whole study, defaults included."""
    whole = parse_study(DEFAULT, "default").model_dump(mode="json", by_alias=True)
    for key in [*numbers(whole), ("measurement", "memory_limit_gib"), ("graphs", "num_features")]:
        with pytest.raises(Refusal, match=".".join(map(str, key[:2]))):
            parse_study(changed(whole, key, value), "study.yaml")


SHIPPED = {path.name: yaml.safe_load(path.read_text()) for path in sorted((ROOT / "workflow/studies").glob("*.yaml"))}


KEYS: dict[Any, tuple[str, tuple[Any, ...]]] = {}
"""The keys of all studies, each once: a study that has it, and its path there.

Keys of the entries of a list are told apart by the keys beside them, which say of which kind the entry is.
"""
for study, values in SHIPPED.items():
    for path in places(values)[1:]:
        beside = tuple(at(values, path[:-1])) if isinstance(path[-2:][0], int) else ()
        if isinstance(path[-1], str):
            KEYS.setdefault((tuple(one for one in path if isinstance(one, str)), beside), (study, path))


@pytest.mark.parametrize("name", SHIPPED)
def test_every_misspelt_key_of_a_study_is_answered_with_the_right_one(name: str) -> None:
    for *path, key in (path for study, path in KEYS.values() if study == name):
        study = changed(SHIPPED[name], (*path, f"{key[0]}{key}"), None)
        del at(study, tuple(path))[key]
        said = "'sampler' must be there" if key == "sampler" else rf"unknown key .* \(did you mean {key}\?\); allowed: "
        with pytest.raises(Refusal, match=said):
            parse_study(study, name)


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


@st.composite
def studies(draw: st.DrawFn) -> Any:
    """A study that is good but for one to three values, which may be good as well."""
    study = copy.deepcopy(draw(st.sampled_from([DEFAULT, VISION, OWN])))
    for _ in range(draw(st.integers(1, 3))):
        *path, last = draw(st.sampled_from(places(study)[1:]))
        node = at(study, tuple(path))
        if isinstance(node, dict) and draw(st.booleans()) and draw(st.booleans()):
            node.pop(last)
            return study
        node[last] = draw(st.one_of(anything, st.just(node[last])))
        if not isinstance(study, dict) or not places(study)[1:]:
            break
    return study


def test_no_more_is_composed_than_a_study_may_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_VALUES", 100)
    monkeypatch.setattr(reading, "_refuse_bomb", lambda *_: pytest.fail("it was read to its end"))
    for text in ("[1" + ",1" * 100 + "]", "[" * 101, "".join(f"k{number}: 1\n" for number in range(51))):
        with pytest.raises(Refusal, match="more than 100 keys and values; a study needs a few hundred"):
            reading.yaml_values(text, "study.yaml")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1"])
def test_another_encoding_is_one_sentence(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes((ROOT / "config.yaml").read_text().replace("title: ", "title: ü").encode(encoding, "replace"))
    with pytest.raises(Refusal, match=r"study\.yaml: not UTF-8 text; save it as UTF-8"):
        read_yaml(path)


@as_often_as_asked
@given(study=studies())
def test_any_study_is_a_plan_or_one_sentence(study: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output, complaint = planned(yaml.safe_dump(study, allow_unicode=True), tmp_path, capsys)
    event("refused" if complaint else "a plan")
    if not complaint:
        header, *cells = output.splitlines()
        assert header.startswith("cell\tgraph")
        assert cells
        ids = [cell.split("\t")[0] for cell in cells]
        visits = [cell.split("\t")[-1] for cell in cells]
        assert len(set(zip(ids, visits, strict=True))) == len(ids)
        assert all(not set(one) - set(string.ascii_letters + string.digits + "-._") for one in ids)


AMBIGUOUS = (
    r"[-+]?0[0-7_]{1,6}|[-+]?0b[01]{1,4}|[1-9][0-9]{0,2}(_[0-9]{3}){1,2}(\.[0-9]+)?|"
    r"[-+]?[1-9][0-9]{0,2}(:[0-5]?[0-9]){1,3}(\.[0-9]{1,2})?"
)


@as_often_as_asked
@given(st.from_regex(AMBIGUOUS, fullmatch=True))
def test_a_number_that_versions_of_yaml_read_differently_is_refused(text: str) -> None:
    if isinstance(yaml.safe_load(f"seed: {text}")["seed"], str):
        return
    with TemporaryDirectory() as folder:
        path = Path(folder) / "study.yaml"
        path.write_text(f"seed: {text}\n")
        with pytest.raises(Refusal, match="is one number in YAML"):
            read_yaml(path)


@as_often_as_asked
@given(st.sampled_from(numbers(DEFAULT)), st.booleans())
def test_a_switch_is_no_number(path: tuple[Any, ...], switch: bool) -> None:
    with pytest.raises(Refusal, match="is no switch; write a number"):
        parse_study(changed(DEFAULT, path, switch), "study.yaml")


@as_often_as_asked
@given(st.integers(1, 30), st.sets(st.integers(1, 10)), st.booleans())
def test_more_segments_than_a_model_has_layers_are_refused(segments: int, depths: set[int], vision: bool) -> None:
    """The fewest layers of all depths decide; a tiny Vision GNN has twelve."""
    values = changed(VISION if vision else OWN, "policies", ["none", f"segments({segments})"])
    values["architecture"] |= {} if vision else {"num_layers": 11, "depths": list(depths)}
    most = 12 if vision else min([11, *depths])
    if segments <= most:
        parse_study(values, "study.yaml")
    else:
        with pytest.raises(Refusal, match=re.escape(f"allowed: at most segments({most})")):
            parse_study(values, "study.yaml")
