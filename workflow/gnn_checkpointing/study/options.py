"""What Snakemake is given: options and folders are refused before it looks at them.

Snakemake looks at them before it reads any file of the workflow, and ends in a traceback if it cannot use them. Only
its profile is read earlier, so the profiles of this project call `refuse_given`.
"""

import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gnn_checkpointing.refusal import Refusal, unknown
from gnn_checkpointing.study.reading import read_yaml, refuse_other_than_keys, yaml_values
from gnn_checkpointing.study.study import Study


def refuse_given(files: Iterable[Path], options: Iterable[str], folders: Mapping[str, Path | None]) -> None:
    """End the process in one sentence if a study file, an option or a folder (keyed by what names it) is unusable."""
    try:
        for file in files:
            refuse_other_than_keys(read_yaml(file), str(file))
        option_values(options)
        for name, folder in folders.items():
            if folder is not None:
                _try_writing(name, Path(folder))
    except Refusal as refusal:
        sys.stderr.write(f"error: {refusal}\n")
        raise SystemExit(2) from None


def _try_writing(name: str, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)  # Snakemake would make it, too
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise Refusal(f"{folder}: {why}; name a folder that can be written to by {name}") from None


def option_values(options: Iterable[str]) -> dict[str, Any]:
    """Parse options `--config key=value` like a study file; an unquoted text is taken as written."""
    found: dict[str, Any] = {}
    for option in options:
        key, sign, text = option.partition("=")
        if not sign:
            raise Refusal(f"--config {option}: no value; write key=value, such as seed=1")
        if key not in Study.model_fields:
            nested = "; a key within one of them is written as measurement='{threads: 2}'" if "." in key else ""
            raise Refusal(f"--config: {unknown(f'key {key}', key, Study.model_fields)}{nested}")
        if key in found:
            raise Refusal(f"--config {key}: given twice; name it once")
        value = yaml_values(text, f"--config {key}")
        found[key] = text if isinstance(value, str | None) and text[:1] not in ("", "'", '"') else value
    return found
