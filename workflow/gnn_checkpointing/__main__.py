"""`python -m gnn_checkpointing`."""

from gnn_checkpointing.cli import main

raise SystemExit(main())
