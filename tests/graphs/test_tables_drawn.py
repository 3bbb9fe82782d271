"""Whatever tables hold, they come back as they were written, or one sentence says why not."""

import csv
import io
import itertools
import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from faults.drawn import as_often_as_asked, assert_graph_or_sentence, texts
from gnn_checkpointing.graphs.tables import CsvFile
from gnn_checkpointing.refusal import Refusal

from .test_tables import EDGES, FEATURES, GOOD, LABELS, load


@as_often_as_asked
@given(data=st.data())
def test_any_ids_labels_and_names_come_back_as_they_were_written(data, tmp_path):
    """Written by Python's csv module in any of its dialects; blanks around a value do not count."""
    nodes = data.draw(st.lists(texts, min_size=2, max_size=6, unique=True), label="nodes")
    names = data.draw(st.lists(texts, min_size=1, max_size=3, unique=True))
    labels = data.draw(st.lists(texts, min_size=len(nodes), max_size=len(nodes)).filter(lambda one: len(set(one)) > 1))
    number = st.floats(width=32, allow_nan=False, allow_infinity=False)
    features = [data.draw(st.lists(number, min_size=len(names), max_size=len(names))) for _ in nodes]
    # With line ends of one character, Python's writer leaves the other one without quotation marks.
    minimal = {"quoting": csv.QUOTE_MINIMAL, "lineterminator": "\r\n"}
    dialect = data.draw(st.sampled_from([minimal, {"quoting": csv.QUOTE_ALL, "lineterminator": "\n"}]))
    if "node" in names:
        return

    def written(*rows):
        stream = io.StringIO()
        csv.writer(stream, **dialect).writerows(rows)
        return stream.getvalue()

    pairs = list(itertools.pairwise(nodes))
    files = {
        EDGES: written(["source", "target"], *pairs),
        FEATURES: written(["node", *names], *([node, *row] for node, row in zip(nodes, features, strict=True))),
        LABELS: written(["node", "label"], *zip(nodes, labels, strict=True)),
    }
    graph = load(tmp_path, files)
    assert graph.num_edges == 2 * len(pairs)
    assert np.array_equal(graph.features, np.array(features, np.float32))
    same = [[one == other for other in labels] for one in labels]
    assert np.array_equal(graph.labels[:, None] == graph.labels, same)


@as_often_as_asked
@given(data=st.data())
def test_any_damage_is_a_graph_or_one_sentence(data, tmp_path):
    name = data.draw(st.sampled_from(sorted(GOOD)))
    text = GOOD[name]
    for _ in range(data.draw(st.integers(1, 4))):
        place, length = data.draw(st.integers(0, len(text))), data.draw(st.integers(0, 3))
        piece = data.draw(
            st.sampled_from([*',"\n\r;\t\0 _', "nan", "1e999", "\ufeff", "\u202e", '""']) | st.text(max_size=3)
        )
        text = text[:place] + piece + text[place + length :]
    assert_graph_or_sentence(lambda: load(tmp_path, {name: text.encode(errors="surrogatepass")}))


@as_often_as_asked
@given(data=st.data())
def test_a_nul_anywhere_is_refused_and_never_a_part_of_a_name(data, tmp_path):
    """Where a disk lost power, NULs follow a label, which would be a class of its own."""
    name = data.draw(st.sampled_from(sorted(GOOD)))
    encoding = data.draw(st.sampled_from(["utf-8", "utf-16-le", "utf-16-be", "utf-32-le"]))
    text, place = GOOD[name], data.draw(st.integers(0, len(GOOD[name])))
    content = f"{text[:place]}{chr(0)}{text[place:]}" if encoding == "utf-8" else text
    sentence = assert_graph_or_sentence(lambda: load(tmp_path, {name: content.encode(encoding)}))
    assert "it holds a NUL, as other encodings than UTF-8 and damaged files do; save it as UTF-8" in sentence


@as_often_as_asked
@given(st.sampled_from(list(GOOD)), st.text('"ab1, \n', min_size=1, max_size=12))
def test_quotation_marks_mean_what_every_reader_says_or_are_refused(tmp_path_factory, name, text):
    """The strict reader of the standard library is the judge: what it does not take is refused, not guessed."""
    content = GOOD[name].replace("\na,", f"\n{text}\na,", 1)
    assert_graph_or_sentence(lambda: load(tmp_path_factory.mktemp("graph"), {name: content}))
    path = tmp_path_factory.mktemp("csv") / name
    path.write_text(content, newline="")
    try:
        found = [row for _, row in CsvFile(path, "").rows()]
    except Refusal:
        return
    plain = re.sub(r'" +(?=,|\n|$)', '"', content)  # a blank behind a quotation mark, which only this reader minds
    header, *rows = csv.reader(io.StringIO(plain), strict=True, skipinitialspace=True)
    stripped = [[value.strip() for value in row] for row in rows]
    assert found == [(row + [""] * len(header))[: len(header)] for row in stripped if any(row)]
