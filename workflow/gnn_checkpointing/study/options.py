"""What Snakemake is given by `--config`, `--configfile` and `--directory`: refused before Snakemake looks at it.

Snakemake does so before it reads any file of the workflow, and ends in a traceback if it cannot use it. Only its
profile is read earlier, so the profiles of this project call `refuse_options`.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gnn_checkpointing.refusal import Refusal, plain, unknown
from gnn_checkpointing.study.reading import read_yaml, refuse_other_than_keys, yaml_values
from gnn_checkpointing.study.study import Study


def refuse_options(files: Iterable[Path], options: Iterable[str], directory: Path | None = None) -> None:
    """End the process with one sentence and exit code 2 if a study file, an option or the folder cannot be used."""
    try:
        for file in files:
            refuse_other_than_keys(read_yaml(file), str(file))
        option_values(options)
        if directory is not None:
            Path(directory).mkdir(parents=True, exist_ok=True)  # Snakemake would make it, too
    except Refusal as refusal:
        said = str(refusal)
    except OSError as error:
        said = f"--directory {directory}: {str(error.strerror).lower()}; name a folder that can be written to"
    else:
        return
    sys.stderr.write(f"error: {plain(said)}\n")
    raise SystemExit(2)


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
