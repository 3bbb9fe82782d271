"""Export a published table for other tools, with units and descriptions: a Frictionless data package."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from gnn_checkpointing.artefacts import sha256_of, whole_file, write_json
from gnn_checkpointing.records.measurements_table import Column, Value, columns_of, read_table, write_table
from gnn_checkpointing.refusal import Refusal

Format = Literal["parquet", "csv", "json"]

_FIELD_TYPES = {"text": "string", "integer": "integer", "number": "number", "truth": "boolean"}
_ARROW_TYPES = {"text": "string", "integer": "int64", "number": "float64", "truth": "bool_"}
_MEDIA_TYPES = {"parquet": "application/vnd.apache.parquet", "csv": "text/csv", "json": "application/json"}


def export(report: Path, form: Format, output_folder: Path) -> Path:
    """Write the measurements of a published report and `datapackage.json` into a folder; returns the table's path.

    Parquet carries unit and description in each field's metadata; for CSV and JSON they are only in the data package.
    Raises `Refusal` if the report has no table, or the library for the format is missing.
    """
    if form not in get_args(Format):
        raise Refusal(f"format {form!r}: not known; choose one of {', '.join(get_args(Format))}")
    rows = read_table(report / "measurements.csv")
    columns = columns_of(rows)
    path = output_folder / f"measurements.{form}"
    match form:
        case "parquet":
            _write_parquet(path, columns, rows)
        case "csv":
            write_table(path, rows)
        case "json":
            write_json(path, [{column.name: row.get(column.name) for column in columns} for row in rows])
    write_json(output_folder / "datapackage.json", _package(report, path, form, columns))
    return path


def _package(report: Path, path: Path, form: Format, columns: Sequence[Column]) -> dict[str, Any]:
    """Descriptor of the data package (https://specs.frictionlessdata.io/data-package/)."""
    hardware, study = report.resolve().parts[-2:]
    kind = "tabular-data" if form == "csv" else "data"
    fields = [
        {"name": column.name, "type": _FIELD_TYPES[column.kind], "description": column.meaning}
        | ({"unit": column.unit} if column.unit else {})
        for column in columns
    ]
    table = {
        "name": "measurements",
        "path": path.name,
        "profile": f"{kind}-resource",
        "format": form,
        "mediatype": _MEDIA_TYPES[form],
        "bytes": path.stat().st_size,
        "hash": f"sha256:{sha256_of(path)}",
        "schema": {"fields": fields, "missingValues": [""]},
    }
    return {
        "profile": f"{kind}-package",
        "name": f"{study}-{hardware}".lower(),
        "licenses": [{"name": "MIT", "path": "https://spdx.org/licenses/MIT"}],
        "resources": [table],
    }


def _write_parquet(path: Path, columns: Sequence[Column], rows: Sequence[Mapping[str, Value]]) -> None:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise Refusal("format parquet: needs pyarrow; `pip install pyarrow`, or choose csv or json") from None
    fields = []
    for column in columns:
        described = {"unit": column.unit, "description": column.meaning}
        fields.append(pyarrow.field(column.name, getattr(pyarrow, _ARROW_TYPES[column.kind])(), metadata=described))
    arrays = [pyarrow.array([row.get(field.name) for row in rows], field.type) for field in fields]
    with whole_file(path) as stream:
        pyarrow.parquet.write_table(pyarrow.table(arrays, schema=pyarrow.schema(fields)), stream, compression="zstd")
