"""A folder of three CSV files becomes a graph, or one sentence that names the file and the line."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gnn_checkpointing.graphs import tables
from gnn_checkpointing.graphs.make import described
from gnn_checkpointing.refusal import Refusal

from .builders import real

SAMPLE = Path(__file__).parents[2] / "workflow" / "studies" / "sample_graph"
EDGES, FEATURES, LABELS = "edges.csv", "features.csv", "labels.csv"
GOOD = {
    EDGES: "source,target\na,b\nb,c\nc,d\n",
    FEATURES: "node,height,weight\na,1,2.5\nb,2,0\nc,3,-1e3\nd,4,7\n",
    LABELS: "node,label\nd,blue\na,red\nb,red\nc,\n",
}


def load(folder, files=None, **changes):
    """The graph of the good files, some of them changed; None removes one."""
    for name, text in (GOOD | (files or {})).items():
        if text is not None:
            (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return real(**{"csv": str(folder), "to_undirected": True, **changes})


def test_the_files_become_the_graph_in_the_order_of_the_features(tmp_path):
    graph = load(tmp_path)
    assert graph.edge_index.tolist() == [[1, 0, 2, 1, 3, 2], [0, 1, 1, 2, 2, 3]]
    assert graph.features.tolist() == [[1, 2.5], [2, 0], [3, -1000], [4, 7]]
    # Classes are numbered in the order of their names: blue, red; the empty label is none.
    assert graph.labels.tolist() == [1, 1, -1, 0]
    assert graph.provenance.reverses_added == 3
    assert graph.provenance.notes == []
    assert set(graph.provenance.files) == set(GOOD)


ROUNDED = "1 features beyond 16,777,216 are rounded to single precision"
VANISHED = "1 features are too small for single precision, and 0"


@pytest.mark.parametrize(
    ("number", "value", "notes"),
    [
        ("1764403200.5", 1764403200.0, [ROUNDED]),
        ("16777216", 2.0**24, []),
        ("9007199254740993", 2.0**53, [ROUNDED]),  # which double precision rounds to a number that single holds
        ("-9007199254740993.0", -(2.0**53), [ROUNDED]),
        ("9007199254740992", 2.0**53, []),
        ("1e-60", 0, [VANISHED]),
        ("1e-400", 0, [VANISHED]),
        ("-1E-99999999999999999999", 0, [VANISHED]),
        (f"0.{'0' * 400}1", 0, [VANISHED]),
        ("0e-400", 0, []),
        (f"0.{'0' * 400}", 0, []),
    ],
)
def test_a_number_that_features_cannot_hold_is_noted(tmp_path, number, value, notes):
    graph = load(tmp_path, {FEATURES: GOOD[FEATURES].replace("2.5", number)})
    assert graph.features[0].tolist() == [1, value]
    assert graph.provenance.notes == notes


UNNAMED = "features.csv: an empty column without a name was ignored"


@pytest.mark.parametrize(
    ("files", "notes"),
    [
        ({name: "\ufeff" + text.replace("\n", "\r\n") + "\r\n\r\n" for name, text in GOOD.items()}, []),
        ({name: text.rstrip("\n") for name, text in GOOD.items()}, []),
        ({EDGES: "source, target\na , b\nb,c \n c,d\n"}, []),
        ({EDGES: 'source,target\n"a","b"\nb,c\n\n  ,\nc,d\n'}, []),
        ({FEATURES: GOOD[FEATURES].replace("\n", ",\n")}, [UNNAMED]),
        ({FEATURES: GOOD[FEATURES].replace("\n", ",,\n", 1)}, [UNNAMED]),
        ({FEATURES: GOOD[FEATURES].replace("\n", ",\n").replace(",\n", "\n", 1)}, [UNNAMED]),
        ({FEATURES: GOOD[FEATURES].replace("height", '"height, cm\n(""h"")"')}, []),
        ({FEATURES: GOOD[FEATURES].replace("height", "nan").replace("weight", "0")}, []),
    ],
    ids=["windows", "no end", "blanks", "quotes", "excel", "empty names", "empty values", "header", "names"],
)
def test_how_a_spreadsheet_writes_it_does_not_matter(tmp_path, files, notes):
    (tmp_path / "plain").mkdir()
    graph, plain = load(tmp_path, files), load(tmp_path / "plain")
    assert np.array_equal(graph.edge_index, plain.edge_index)
    assert np.array_equal(graph.features, plain.features)
    assert np.array_equal(graph.labels, plain.labels)
    assert graph.provenance.notes == notes
    assert [line for line in described(tmp_path) if line.startswith("note")] == [f"note: {note}" for note in notes]


@pytest.mark.parametrize("label", ["NA", "nan", "-1", "Null", "n/a"])
def test_a_label_that_elsewhere_is_none_is_a_class_and_noted(tmp_path, label):
    graph = load(tmp_path, {LABELS: GOOD[LABELS].replace("c,\n", f"c,{label}\n")})
    assert graph.num_classes == 3
    assert graph.provenance.notes == [
        f"labels.csv: {label.lower()} is a class like any other; an unknown label is an empty one"
    ]


def test_ids_are_text_as_written(tmp_path):
    """007 and 7 are two nodes, and NA is a name."""
    files = {
        FEATURES: "node,x\n007,1\n7,2\nNA,3\n",
        LABELS: "node,label\n007,a\n7,b\nNA,a\n",
        EDGES: "source,target\n007,7\n7,NA\n",
    }
    assert load(tmp_path, files).edge_index.tolist() == [[1, 0, 2, 1], [0, 1, 1, 2]]
    with pytest.raises(Refusal, match=r"edges.csv, line 3: target 07 is no node"):
        load(tmp_path, files | {EDGES: "source,target\n007,7\n7,07\n"})


def test_labels_are_texts_with_one_numbering_whatever_the_hash_seed(tmp_path):
    """Numbers come first, by value, then texts: 0, 1, 1.0, inf, nan."""
    rows = {"a": "nan", "b": "1.0", "c": "0", "d": "1", "e": "inf"}
    for name, text in {
        FEATURES: "node,x\n" + "".join(f"{node},1\n" for node in rows),
        LABELS: "node,label\n" + "".join(f"{node},{label}\n" for node, label in rows.items()),
        EDGES: "source,target\na,b\n",
    }.items():
        (tmp_path / name).write_text(text)
    program = "import sys; from graphs.builders import real; print(real(csv=sys.argv[1], to_undirected=True).labels)"
    for seed in ("0", "1", "2"):
        found = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)],
            capture_output=True,
            text=True,
            check=True,
            cwd=SAMPLE.parents[2] / "tests",
            env=os.environ | {"PYTHONHASHSEED": seed},
        )
        assert found.stdout == "[4 2 0 1 3]\n"


def test_the_sample_that_ships_is_a_graph():
    graph = real(csv=str(SAMPLE), to_undirected=True)
    assert (graph.num_nodes, graph.num_classes) == (200, 3)
    assert (graph.labels == -1).sum() == 10


LARGE = "1" + "0" * 400
LONG = "é" * 10**6


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        (EDGES, "source,target\na,b\nb,e\n", r"edges.csv, line 3: target e is no node of features.csv"),
        (EDGES, "source,target\na,b\n,c\n", r"edges.csv, line 3: source is empty"),
        (EDGES, "source,target\na,b\nb\n", r"edges.csv, line 3: target is empty"),
        (EDGES, "source,target\n", r"edges.csv: no edges"),
        (EDGES, '"source,target\na,b\n', r"edges.csv, line 1: a quotation mark opens there that is never closed"),
        (EDGES, "", r"edges.csv, line 1: the header is ''; it must be source,target"),
        (EDGES, "a,b\nb,c\n", r"edges.csv, line 1: the header is 'a,b'; it must be source,target"),
        (EDGES, "source;target\na;b\n", r"edges.csv, line 1: the header is 'source;target'"),
        (EDGES, "source,target\na,b,c,d\n", r"edges.csv, line 2: 4 values, but the header has 2 names"),
        (EDGES, "source,target\na,b\nb,c\nc,d,1\n", r"edges.csv, line 4: 3 values, but the header has 2 names"),
        (EDGES, ",source,target\n,a,b\n0,b,c\n", r"edges.csv, line 3: '0' is in a column without a name"),
        (EDGES, "source,target\na,a\n", r"no edge joins two nodes \(1 self-loops"),
        (EDGES, 'source,target\na,b\n"b,c\n', r"edges.csv, line 3: a quotation mark opens there that is never closed"),
        (EDGES, 'source,target\n"a\n",b\nb,e\n', r"edges.csv, line 4: target e is no node"),
        (EDGES, 'source,target\na,b\n"e\n\nf",b\n', r"edges.csv, line 3: source e\\n\\nf is no node"),
        (EDGES, "source,target\na,\x1b[31me\n", r"edges.csv, line 2: target \\x1b\[31me is no node"),
        (EDGES, f"source,target\na,{LONG[:100_000]}\n", r"edges.csv, line 2: target é{100}…é{99} is no node"),
        (EDGES, f"source,target\na,{LONG}\n", r"edges.csv, line 2: not readable as comma-separated values \(field lar"),
        (EDGES, b"source,target\n\xff\xfe,b\n", r"edges.csv: not UTF-8 text \(it holds the byte 0xff\)"),
        (EDGES, GOOD[EDGES].encode("utf-16"), r"edges.csv: not UTF-8 text \(it holds the byte 0xff\)"),
        (FEATURES, "node,x\na,1\nb,tall\nc,1\nd,1\n", r"features.csv, line 3: x of node b is 'tall'"),
        (FEATURES, "node,x\na,1\nb,1_000\nc,1\nd,1\n", r"features.csv, line 3: x of node b is '1_000'"),
        (FEATURES, "node,x\na,1\nb,\nc,1\nd,1\n", r"features.csv, line 3: x of node b is empty or NaN"),
        (FEATURES, "node,x\na,1\nb,nan\nc,1\nd,1\n", r"features.csv, line 3: x of node b is empty or NaN"),
        (FEATURES, "node,x,y\na,1,1\nb,2,-nan\n", r"features.csv, line 3: y of node b is '-nan'"),
        (FEATURES, "node,x\na,1\nb,\u0663\nc,1\nd,1\n", r"features.csv, line 3: x of node b is '\u0663'"),
        (FEATURES, "node,x\na,1\nb,inf\nc,1\nd,1\n", r"features.csv, line 3: x of node b is 'inf'"),
        (FEATURES, "node,x\na,1\nb,1e39\nc,1\nd,1\n", r"features.csv, line 3: x of node b is '1e39'"),
        (FEATURES, f"node,x\na,1\nb,{LARGE}\nc,1\nd,1\n", r"features.csv, line 3: x of node b is '1000*…0*'"),
        (FEATURES, "node,x\na,1\nb,1\na,1\nd,1\n", r"features.csv, line 4: node a is on line 2 already"),
        (FEATURES, "node,x\na,1\n\n,2\nd,1\n", r"features.csv, line 4: node is empty"),
        (FEATURES, "a,1\nb,2\n", r"features.csv, line 1: the header is 'a,1'"),
        (FEATURES, "node\na\nb\n", r"features.csv, line 1: the header is 'node'"),
        (FEATURES, "node,x,x\na,1,1\nb,2,2\n", r"features.csv, line 1: two columns have the same name"),
        (FEATURES, "node,x\na,1\n", r"features.csv: 1 nodes; at least 2"),
        (LABELS, "node,label\na,r\nb,r\nc,r\n", r"labels.csv: no row for node d"),
        (LABELS, "node,label\na,r\nb,r\nc,b\nd,b\ne,b\n", r"labels.csv, line 6: node e is not in features.csv"),
        (LABELS, "node,label\na,r\nb,r\nc,b\nd,b\nb,b\n", r"labels.csv, line 6: node b is on line 3 already"),
        (LABELS, "node,label\na,r\nb,r\nc,\nd,r\n", r"labels.csv: every label is r; at least two classes"),
        (LABELS, "node,label\na,\nb,\nc,\nd,\n", r"labels.csv: every label is empty"),
        (LABELS, "a,r\nb,r\n", r"labels.csv, line 1: the header is 'a,r'; it must be node,label"),
        (LABELS, 'node,label\n"a"1,red\nb,red\n', r"labels.csv, line 2: a value goes on after its closing quot"),
        (LABELS, 'node,label\na,"re"d\nb,red\n', r"labels.csv, line 2: a value goes on after its closing quot"),
        (LABELS, 'node,label\na,"red\nb,red\n', r"labels.csv, line 2: a quotation mark opens there that is never"),
        (LABELS, None, r"labels.csv is missing; it has the columns node,label"),
    ],
)
def test_what_is_wrong_is_named_with_its_file_and_line(tmp_path, name, content, sentence):
    with pytest.raises(Refusal, match=sentence) as refused:
        load(tmp_path, {name: content})
    assert len(str(refused.value)) < 1000
    assert str(refused.value).isprintable()


def test_what_lies_where_a_folder_or_a_file_should_be(tmp_path):
    load(tmp_path)
    (tmp_path / "pipes").mkdir()
    os.mkfifo(tmp_path / "pipes" / EDGES)
    (tmp_path / "loop").symlink_to("loop")
    for folder, words in {
        "nowhere": r"no folder .*nowhere; put edges.csv, features.csv and labels.csv there",
        EDGES: "edges.csv is no folder",
        f"{EDGES}/below": "below: not a directory",
        "loop": "loop: too many levels of symbolic links",
        "x" * 300: "file name too long",
        "pipes": "pipes/edges.csv is no plain file",
    }.items():
        with pytest.raises(Refusal, match=words):
            described(tmp_path / folder)


@pytest.mark.parametrize(
    "name", ["my graph", "graph.v2", "größe", "_private", "-dash", "quote'd", "x" * 65, "图", "a\nb", "%s{}", "\udcff"]
)
def test_a_folder_may_have_any_name(tmp_path, name):
    (tmp_path / name).mkdir()
    load(tmp_path / name)
    assert described(tmp_path / name)[0] == "nodes: 4, 0 of them without edges"
    assert load(tmp_path, csv=name, data_root=str(tmp_path)).num_nodes == 4


def test_a_file_that_vanishes_or_has_another_checksum_is_one_sentence(tmp_path, monkeypatch):
    with pytest.raises(Refusal, match=r"labels.csv has SHA-256 .*, not 0000"):
        load(tmp_path, sha256={"labels.csv": "0" * 64})

    def vanish(path):
        path.unlink()
        return "0" * 64

    (tmp_path / LABELS).unlink()
    (tmp_path / LABELS).symlink_to("/proc/self/mem")  # a file that cannot be read, even by root
    with pytest.raises(Refusal, match=r"labels\.csv is not readable \(Input/output error\); replace it"):
        load(tmp_path, {LABELS: None})
    (tmp_path / LABELS).unlink()
    monkeypatch.setattr("gnn_checkpointing.graphs.files.sha256_of", vanish)
    with pytest.raises(Refusal, match=r"edges\.csv vanished while it was read"):
        load(tmp_path)


def test_a_line_that_memory_would_not_hold_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "MOST_CHARACTERS", 1000)
    with pytest.raises(Refusal, match="a line of more than 1000 characters"):
        load(tmp_path, {LABELS: "node,label\na," + 2000 * " " + "\n"})
