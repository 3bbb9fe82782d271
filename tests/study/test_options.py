"""What Snakemake is given is read as a study file is, or refused before Snakemake looks at it."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faults.drawn import as_often_as_asked
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.options import option_values, refuse_given
from synthetic.studies import ROOT

OPTIONS = {
    "seed=7": 7,
    "measurement={processes: 2}": {"processes": 2},
    "policies=[none, layers]": ["none", "layers"],
    "data_root=/my data #2": "/my data #2",
    "data_root=~": "~",
    "title='7'": "7",
    "title=a=b": "a=b",
    "data_root=": None,
}
NO_OPTIONS = {
    ("seed=010",): "--config seed: not readable as YAML (010 on line 1 is one number in YAML 1.1",
    ("seed={a: 1, a: 2}",): "key a is on line 1 and again",
    ("title=a: b: c",): "--config title: not readable as YAML",
    ("seed=1", "seed=2"): "--config seed: given twice; name it once",
    ("seed",): "--config seed: no value; write key=value, such as seed=1",
    ("sed=1",): "--config: unknown key sed (did you mean seed?); allowed: ",
    ("measurement.threads=2",): "a key within one of them is written as measurement='{threads: 2}'",
}


def test_options_are_read_as_study_files_are() -> None:
    for option, value in OPTIONS.items():
        assert option_values([option]) == {option.partition("=")[0]: value}
    for options, words in NO_OPTIONS.items():
        with pytest.raises(Refusal, match=re.escape(words)):
            option_values(options)


contents = st.one_of(
    st.binary(max_size=40),
    st.builds(str.encode, st.text(max_size=40), st.sampled_from(["utf-8", "utf-16", "utf-32", "utf-7"])),
    st.sampled_from(["folder", "missing", "loop"]),
)
given_options = st.lists(
    st.one_of(st.text(max_size=20), st.builds("{}={}".format, st.sampled_from(["seed", "title"]), st.text(max_size=20)))
)


@as_often_as_asked
@given(content=contents, options=given_options)
def test_whatever_is_given_passes_or_ends_in_one_sentence(
    content: bytes | str,
    options: list[str],
    tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path_factory.mktemp("given") / "study.yaml"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "folder":
        path.mkdir()
    elif content == "loop":
        path.symlink_to(path)
    code: object = 0
    try:
        refuse_given([path], options, {})
    except SystemExit as refused:
        code = refused.code
    said = capsys.readouterr().err.splitlines()
    assert (code, len(said)) in ((0, 0), (2, 1))
    assert all(sentence.startswith("error: ") and sentence.isprintable() for sentence in said)
    assert code or isinstance(content, bytes)


def test_what_can_be_used_passes_and_the_folder_is_there(tmp_path: Path) -> None:
    refuse_given([ROOT / "config.yaml"], [], {"XDG_CACHE_HOME": tmp_path / "new" / "folder", "--directory": None})
    assert list(tmp_path.rglob("*")) == [tmp_path / "new", tmp_path / "new" / "folder"]


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    for place, words in (("file", "file exists"), ("file/new", "not a directory"), ("x" * 300, "file name too long")):
        with pytest.raises(SystemExit) as refused:
            refuse_given([], [], {"--directory": tmp_path / place})
        (sentence,) = capsys.readouterr().err.splitlines()
        assert refused.value.code == 2
        assert sentence.endswith(f": {words}; name a folder that can be written to by --directory")
