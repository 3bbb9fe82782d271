"""What gradient checkpointing does to memory and throughput of GNNs, measured across graph densities."""

__version__ = "0.1.0"
