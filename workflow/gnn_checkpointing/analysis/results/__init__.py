"""Results of the analysis: typed and JSON-serialisable, one value per statement that the report can make."""

# ruff: noqa: F403 - these files define what this package exports.

from gnn_checkpointing.analysis.results.base import *
from gnn_checkpointing.analysis.results.effects import *
from gnn_checkpointing.analysis.results.frontier import *
from gnn_checkpointing.analysis.results.laws import *
from gnn_checkpointing.analysis.results.predictions import *
from gnn_checkpointing.analysis.results.trials import *
