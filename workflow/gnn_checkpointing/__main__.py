"""`python -m gnn_checkpointing`."""

import sys

if not sys.flags.safe_path:
    # Put the working folder last: a user's own modules are found there, but none can shadow a library's.
    sys.path.append(sys.path.pop(0))

try:
    from gnn_checkpointing.measurement.forked import forked_command

    code = forked_command(sys.argv[1:])
    if code is None:
        from gnn_checkpointing.cli import main

        code = main()
except KeyboardInterrupt:  # while the guard around all commands is imported
    print("error: interrupted; run it again to resume", file=sys.stderr)  # noqa: T201 - to whoever interrupted it
    code = 130
raise SystemExit(code)
