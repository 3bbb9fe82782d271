"""Every claim, written before the data; a verdict is what its rule says of the numbers that it picks."""

from gnn_checkpointing.claims.catalogue.density import DENSITY
from gnn_checkpointing.claims.catalogue.depths import DEPTHS
from gnn_checkpointing.claims.catalogue.ego import EGO
from gnn_checkpointing.claims.catalogue.laws import LAWS
from gnn_checkpointing.claims.catalogue.literature import CHECKPOINTING, LITERATURE
from gnn_checkpointing.claims.catalogue.peers import PEERS
from gnn_checkpointing.claims.catalogue.physics import PHYSICS
from gnn_checkpointing.claims.catalogue.policies import POLICIES
from gnn_checkpointing.claims.catalogue.predictions import PREDICTIONS
from gnn_checkpointing.claims.catalogue.real_graphs import REAL_GRAPHS
from gnn_checkpointing.claims.catalogue.robustness import ROBUSTNESS
from gnn_checkpointing.claims.catalogue.sameness import SAMENESS
from gnn_checkpointing.claims.catalogue.seeds import SEEDS
from gnn_checkpointing.claims.catalogue.template import Template
from gnn_checkpointing.claims.catalogue.throughput import THROUGHPUT
from gnn_checkpointing.claims.catalogue.trends import TRENDS
from gnn_checkpointing.claims.catalogue.variants import VARIANTS
from gnn_checkpointing.claims.catalogue.vision import VISION

CATALOGUE: tuple[Template, ...] = (
    *DENSITY,
    *REAL_GRAPHS,
    *VARIANTS,
    *POLICIES,
    *SAMENESS,
    *LAWS,
    *CHECKPOINTING,
    *TRENDS,
    *PHYSICS,
    *PREDICTIONS,
    *ROBUSTNESS,
    *LITERATURE,
    *PEERS,
    *DEPTHS,
    *VISION,
    *EGO,
    *THROUGHPUT,
    *SEEDS,
)

__all__ = ["CATALOGUE", "Template"]
