"""A folder of three CSV files becomes a graph, or one sentence that names the file and the line."""

from pathlib import Path

import numpy as np
import pytest

from gnn_checkpointing.graphs.make import make_graph
from gnn_checkpointing.refusal import Refusal

from .builders import loaded

SAMPLE = Path(__file__).parents[2] / "workflow" / "studies" / "sample_graph"
GOOD = {
    "edges.csv": "source,target\na,b\nb,c\nc,d\n",
    "features.csv": "node,height,weight\na,1,2.5\nb,2,0\nc,3,-1e3\nd,4,7\n",
    "labels.csv": "node,label\nd,blue\na,red\nb,red\nc,\n",
}


@pytest.fixture
def folder(tmp_path):
    """A folder with a path of four nodes; `write` changes single files."""
    for name, text in GOOD.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def load(folder, **changes):
    values = {"class": None, "csv": str(folder), "name": "mine", "to_undirected": True, **changes}
    return make_graph(loaded(**values))


def test_the_files_become_the_graph_in_the_order_of_the_features(folder):
    graph = load(folder)
    assert graph.edge_index.tolist() == [[1, 0, 2, 1, 3, 2], [0, 1, 1, 2, 2, 3]]
    assert graph.features.tolist() == [[1, 2.5], [2, 0], [3, -1000], [4, 7]]
    # Classes are numbered in the order of their names: blue, red; the empty label is none.
    assert graph.labels.tolist() == [1, 1, -1, 0]
    assert graph.provenance.reverses_added == 3
    assert set(graph.provenance.files) == set(GOOD)


def test_numbers_and_text_as_ids_give_the_same_edges(folder):
    text = load(folder)
    for name, content in GOOD.items():
        head, *rows = content.splitlines()
        numbered = ["abcd".index(row[0]) for row in rows]
        if name == "edges.csv":
            rows = [",".join(str(10 + "abcd".index(end)) for end in row.split(",")) for row in rows]
        else:
            rows = [f"{10 + number}{row[1:]}" for number, row in zip(numbered, rows, strict=True)]
        (folder / name).write_text("\n".join([head, *rows]) + "\n")
    assert np.array_equal(load(folder).edge_index, text.edge_index)


@pytest.mark.parametrize("end", ["\n\n", "\r\n", ""])
def test_line_ends_marks_and_blank_last_lines_do_not_matter(folder, end):
    for name, content in GOOD.items():
        (folder / name).write_bytes(("\ufeff" + content.rstrip("\n").replace("\n", "\r\n") + end).encode())
    assert load(folder).num_edges == 6


def test_blanks_around_a_value_do_not_matter(folder):
    (folder / "edges.csv").write_text("source,target\na , b\nb,c \n c,d\n")
    assert load(folder).num_edges == 6


def test_ids_are_text_as_written(folder):
    """007 and 7 are two nodes, and NA is a name."""
    (folder / "features.csv").write_text("node,x\n007,1\n7,2\nNA,3\n")
    (folder / "labels.csv").write_text("node,label\n007,a\n7,b\nNA,a\n")
    (folder / "edges.csv").write_text("source,target\n007,7\n7,NA\n")
    assert load(folder).edge_index.tolist() == [[1, 0, 2, 1], [0, 1, 1, 2]]


def test_a_number_written_otherwise_is_another_node(folder):
    """Read as numbers, 07 would silently become the node 7."""
    (folder / "features.csv").write_text("node,x\n6,1\n7,2\n8,3\n")
    (folder / "labels.csv").write_text("node,label\n6,a\n7,b\n8,a\n")
    (folder / "edges.csv").write_text("source,target\n6,7\n8,07\n")
    with pytest.raises(Refusal, match=r"edges.csv, line 3: target 07 is no node"):
        load(folder)


def test_the_sample_that_ships_is_a_graph():
    graph = load(SAMPLE)
    assert (graph.num_nodes, graph.num_classes) == (200, 3)
    assert (graph.labels == -1).sum() == 10


def test_a_directed_graph_is_refused_unless_the_study_says_so(folder):
    with pytest.raises(Refusal, match="3 of 3 edges have no reverse; set to_undirected: true"):
        load(folder, to_undirected=False)


LARGE = "1" + "0" * 400


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("edges.csv", "source,target\na,b\nb,e\n", r"edges.csv, line 3: target e is no node of features.csv"),
        ("edges.csv", "source,target\na,b\n,c\n", r"edges.csv, line 3: source is empty"),
        ("edges.csv", "source,target\na,b\nb\n", r"edges.csv, line 3: target is empty"),
        ("edges.csv", "source,target\n", r"edges.csv: no edges"),
        ("edges.csv", "", r"edges.csv, line 1: the header is ''; it must be source,target"),
        ("edges.csv", "a,b\nb,c\n", r"edges.csv, line 1: the header is 'a,b'; it must be source,target"),
        ("edges.csv", "source,target\na,b,c,d\n", r"edges.csv, line 2: 4 values, but the header has 2 names"),
        ("edges.csv", "source,target\na,b\nb,c\nc,d,1\n", r"edges.csv: not readable as a table .*line 4, saw 3"),
        ("edges.csv", "source,target\na,a\n", r"no edges"),
        ("features.csv", "node,x\na,1\nb,tall\nc,1\nd,1\n", r"features.csv, line 3: x of node b is 'tall'"),
        ("features.csv", "node,x\na,1\nb,\nc,1\nd,1\n", r"features.csv, line 3: x of node b is empty or NaN"),
        ("features.csv", "node,x\na,1\nb,nan\nc,1\nd,1\n", r"features.csv, line 3: x of node b is empty or NaN"),
        ("features.csv", "node,x\na,1\nb,inf\nc,1\nd,1\n", r"features.csv, line 3: x of node b is 'inf'"),
        ("features.csv", f"node,x\na,1\nb,{LARGE}\nc,1\nd,1\n", r"features.csv, line 3: x of node b is"),
        ("features.csv", "node,x\na,1\nb,1\na,1\nd,1\n", r"features.csv, line 4: node a stands on line 2 already"),
        ("features.csv", "node,x\na,1\n\n,2\nd,1\n", r"features.csv, line 4: node is empty"),
        ("features.csv", "a,1\nb,2\n", r"features.csv, line 1: the header is 'a,1'"),
        ("features.csv", "node\na\nb\n", r"features.csv, line 1: the header is 'node'"),
        ("features.csv", "node,x,x\na,1,1\nb,2,2\n", r"features.csv, line 1: two columns have the same name"),
        ("features.csv", "node,x\na,1\n", r"features.csv: 1 nodes; at least 2"),
        ("labels.csv", "node,label\na,r\nb,r\nc,r\n", r"labels.csv: no row for node d"),
        ("labels.csv", "node,label\na,r\nb,r\nc,b\nd,b\ne,b\n", r"labels.csv, line 6: node e is not in features.csv"),
        ("labels.csv", "node,label\na,r\nb,r\nc,b\nd,b\nb,b\n", r"labels.csv, line 6: node b stands on line 3 already"),
        ("labels.csv", "node,label\na,r\nb,r\nc,\nd,r\n", r"labels.csv: every label is r; at least two classes"),
        ("labels.csv", "node,label\na,\nb,\nc,\nd,\n", r"labels.csv: every label is empty"),
        ("labels.csv", "a,r\nb,r\n", r"labels.csv, line 1: the header is 'a,r'; it must be node,label"),
        ("labels.csv", None, r"labels.csv is missing; it has the columns node,label"),
    ],
)
def test_what_is_wrong_is_named_with_its_file_and_line(folder, name, content, sentence):
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_text(content)
    with pytest.raises(Refusal, match=sentence):
        load(folder)


def test_bytes_that_are_no_text_are_refused(folder):
    (folder / "edges.csv").write_bytes(b"source,target\n\xff\xfe,b\n")
    with pytest.raises(Refusal, match=r"edges.csv: not readable"):
        load(folder)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(Refusal, match=r"no folder .*nowhere; put edges.csv, features.csv and labels.csv there"):
        load(tmp_path / "nowhere")


def test_a_changed_file_is_refused_where_the_study_has_its_checksum(folder):
    with pytest.raises(Refusal, match=r"labels.csv has SHA-256 .*, not 0000"):
        load(folder, sha256={"labels.csv": "0" * 64})
