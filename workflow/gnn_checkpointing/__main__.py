"""`python -m gnn_checkpointing`."""

import sys

if not sys.flags.safe_path:
    # Put the working folder last: a user's own modules are found there, but none can shadow a library's.
    sys.path.append(sys.path.pop(0))

from gnn_checkpointing.measurement.forked import forked_command

code = forked_command(sys.argv[1:])
if code is None:
    from gnn_checkpointing.cli import main

    code = main()
raise SystemExit(code)
