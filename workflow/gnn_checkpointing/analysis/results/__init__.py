"""What the analysis hands on: typed, JSON-able, one value per statement that the report can make."""

# ruff: noqa: F403 - a name is exported by standing in one of these files.

from gnn_checkpointing.analysis.results.base import *
from gnn_checkpointing.analysis.results.effects import *
from gnn_checkpointing.analysis.results.frontier import *
from gnn_checkpointing.analysis.results.laws import *
from gnn_checkpointing.analysis.results.practice import *
from gnn_checkpointing.analysis.results.predictions import *
from gnn_checkpointing.analysis.results.quality import *
from gnn_checkpointing.analysis.results.robustness import *
from gnn_checkpointing.analysis.results.systems import *
from gnn_checkpointing.analysis.results.views import *
