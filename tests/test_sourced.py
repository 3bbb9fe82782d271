"""Numbers keep the address of the field that they were read from, through arithmetic and formatting."""

import copy
import json
import statistics
from dataclasses import dataclass

import numpy as np
import pytest
from pydantic import BaseModel, Field

from gnn_checkpointing.report import units
from gnn_checkpointing.sourced import (
    SourcedFloat,
    SourcedInt,
    bare,
    counted,
    counted_where,
    exponential,
    mark,
    part_where,
    parts,
    plain,
    source_of,
    sourced,
    square_root,
)


class Part(BaseModel):
    value: float
    kind: str = Field("a", alias="class")
    wide: bool = False


@dataclass(frozen=True)
class Whole:
    parts: list[Part]
    pair: tuple[int, int]
    by_name: dict[str, float]


def whole() -> Whole:
    made = Whole([Part(value=1.5), Part(**{"value": 3.0, "class": "b"})], (4, 5), {"segments(3)": 0.25})
    return sourced(made, "file.json#")


def test_every_number_knows_its_file_and_field() -> None:
    found = whole()
    assert source_of(found.parts[1].value) == "file.json#/parts/1/value"
    assert source_of(found.pair[0]) == "file.json#/pair/0"
    assert source_of(found.by_name["segments(3)"]) == "file.json#/by_name/segments%283%29"
    assert found.parts[0].value == 1.5
    assert found.parts[0].wide is False
    assert found.parts[1].kind == "b"


def test_a_field_has_the_name_of_its_file() -> None:
    class Named(BaseModel):
        size: int = Field(alias="class")

    assert source_of(sourced(Named(**{"class": 3}), "s.json#").size) == "s.json#/class"


def test_arithmetic_keeps_the_value_and_tells_the_expression() -> None:
    a, b = SourcedFloat(6.0, "f#/a"), SourcedInt(2, "f#/b")
    cases = {
        "f#/a / f#/b": (a / b, 3.0),
        "f#/a + f#/b": (a + b, 8.0),
        "1 - f#/a": (1 - a, -5.0),
        "100 * f#/b": (100 * b, 200),
        "(f#/a - f#/b) / f#/b": ((a - b) / b, 2.0),
        "abs(1 - f#/a)": (abs(1 - a), 5.0),
        "sqrt(0.25 / f#/b)": (square_root(0.25 / (b * 1.0)), 0.125**0.5),
    }
    for source, (value, expected) in cases.items():
        assert source_of(value) == source
        assert value == pytest.approx(expected)
    assert source_of(exponential(a)) == "exp(f#/a)"


def test_what_changes_nothing_keeps_the_address() -> None:
    a = SourcedFloat(6.0, "f#/a")
    assert [source_of(value) for value in (a * 1.0, a + 0, a - 0, a / 1, sum([a]), max([a, 2.0]))] == ["f#/a"] * 6
    assert source_of(statistics.median([a, SourcedFloat(1.0, "f#/b"), SourcedFloat(9.0, "f#/c")])) == "f#/a"
    assert source_of(statistics.median([a, SourcedFloat(8.0, "f#/b")])) == "(f#/a + f#/b) / 2"


def test_a_number_with_an_address_is_a_number_to_everybody_else() -> None:
    a = SourcedFloat(6.0, "f#/a")
    assert json.dumps([a, SourcedInt(2, "f#/b")]) == "[6.0, 2]"
    assert source_of(copy.deepcopy(a)) == "f#/a"
    assert float(np.asarray([a, 1.0]).sum()) == 7.0
    assert isinstance(a * np.ones(2), np.ndarray)
    assert type(plain(a)) is float
    assert [1, 2, 3][SourcedInt(1, "f#/b")] == 2
    assert a < 7 and a == 6.0 and hash(a) == hash(6.0)


def test_counts_tell_what_was_counted() -> None:
    found = whole().parts
    assert source_of(counted(found)) == "count(file.json#/parts)"
    over = counted_where(found, ("value", ">", 2), ("kind", "=", "b"))
    assert (over, source_of(over)) == (1, "count(file.json#/parts where value > 2 and kind = b)")
    kinds = counted_where(found, ("value", ">", 0), distinct="kind")
    assert (kinds, source_of(kinds)) == (2, "count(distinct kind of file.json#/parts where value > 0)")
    assert source_of(counted([1, 2])) == ""


def test_words_carry_the_address_and_are_read_without_it() -> None:
    share = SourcedFloat(0.125, "f#/share")
    text = f"It is {units.percent(share)} of all."
    assert bare(text) == "It is 12\N{NO-BREAK SPACE}% of all."
    assert parts(text) == [("", "It is "), ("f#/share", "12\N{NO-BREAK SPACE}%"), ("", " of all.")]
    assert units.percent(0.125) == "12\N{NO-BREAK SPACE}%"


def test_an_estimate_has_the_address_of_what_holds_its_three_numbers() -> None:
    class Holder(BaseModel):
        ratio: units.Estimate

    one = sourced(Holder(ratio=units.Estimate(estimate=1.5, low=1.25, high=1.75)), "f#").ratio
    assert parts(units.ratio_estimate(one)) == [("f#/ratio", "1.50 (1.25\N{EN DASH}1.75)")]
    row = sourced([{"time_ratio": 1.5, "time_ratio_low": 1.25, "time_ratio_high": 1.75}], "m.csv#")[0]
    made = units.estimate_of(row["time_ratio"], row["time_ratio_low"], row["time_ratio_high"])
    assert parts(units.ratio_estimate(made))[0][0] == "m.csv#/0/time_ratio"
    mixed = units.estimate_of(one.estimate, row["time_ratio_low"], one.high)
    assert parts(units.ratio_estimate(mixed))[0][0] == "f#/ratio/estimate; m.csv#/0/time_ratio_low; f#/ratio/high"


def test_no_text_of_a_user_can_pass_for_an_address() -> None:
    hostile = mark("12", SourcedInt(12, "f#/a"))
    cleaned = sourced({"title": hostile}, "s.json#")["title"]
    assert parts(cleaned) == [("s.json#/title", "f#/a12")]  # its own address, not the one it claims


@pytest.mark.parametrize("number", [SourcedInt(5, "a.json#/n"), SourcedFloat(2.5, "a.json#/n")])
def test_a_sign_keeps_the_address_and_what_would_lose_it_is_refused(number: int | float) -> None:
    assert (-number, source_of(-number)) == (0 - plain(number), "0 - a.json#/n")
    assert (abs(-number), source_of(abs(-number))) == (plain(number), "abs(0 - a.json#/n)")
    losing = (
        lambda: round(number),
        lambda: round(number, 1),
        lambda: number // 2,
        lambda: number % 2,
        lambda: number**2,
        lambda: 2**number,
    )
    for lose in losing:
        with pytest.raises(TypeError, match="would lose its address"):
            lose()


def test_counts_of_a_part_of_a_list_name_what_it_is_of() -> None:
    rows = sourced([{"visit": 0, "kind": "a"}, {"visit": 1, "kind": "a"}, {"visit": 0, "kind": "b"}], "table.csv#")
    part = part_where(rows, ("visit", "=", 0))
    assert source_of(part[1]["visit"]) == "table.csv#/2/visit"
    assert (counted(part), source_of(counted(part))) == (2, "count(table.csv# where visit = 0)")
    found = counted_where(part, ("kind", "=", "a"))
    assert (found, source_of(found)) == (1, "count(table.csv# where visit = 0 and kind = a)")
    assert type(counted(part_where([{"visit": 0}], ("visit", "=", 0)))) is int
