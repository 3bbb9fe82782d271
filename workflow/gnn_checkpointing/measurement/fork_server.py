"""A server that has imported the modules that other processes need, and forks them (Linux); `forked.py` is its client.

It computes nothing with its imports, so a child inherits no threads and no advanced random state. A separate process
answers each client: when the client dies, that process kills the forked one; when the server dies, all of them die.
"""

import atexit
import contextlib
import ctypes
import fcntl
import gc
import importlib
import json
import os
import random
import select
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from pkgutil import resolve_name
from typing import NoReturn

import numpy

from gnn_checkpointing.measurement.exclusive import die_with_parent
from gnn_checkpointing.measurement.forked import COMMANDS, LARGEST, RUN, WORKERS, this_run

_PR_SET_NAME = 15
_IMPORTED = {
    WORKERS: (
        "gnn_checkpointing.measurement.worker",
        "gnn_checkpointing.training",
        "gnn_checkpointing.cli.app",
        "torch_geometric.datasets",
    ),
    COMMANDS: (
        "gnn_checkpointing.cli.app",
        "gnn_checkpointing.graphs.make",
        "gnn_checkpointing.cli.designing",
        "gnn_checkpointing.cli.measuring",
        "gnn_checkpointing.cli.judging",
        "gnn_checkpointing.cli.publishing",
    ),
}
_MADE = {
    WORKERS: ("gnn_checkpointing.models.convolutions:generate_code",),
    COMMANDS: ("gnn_checkpointing.measurement.fingerprint:code_fingerprint", "measuring"),
}
"""For each kind of server, a function and its arguments: run once here, so that no forked process has to run it."""


def _serve(listener: socket.socket, run: int) -> None:
    """Fork a process that answers each client, until the run ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the answering processes
    while run not in select.select([listener.fileno(), run], [], [])[0]:
        connection, _ = listener.accept()
        with connection:
            if os.fork() == 0:
                die_with_parent()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                listener.close()
                os.close(run)
                _answer(connection)
                os._exit(0)


def _answer(connection: socket.socket) -> None:
    """Fork the process that a client asks for and report its exit status; it dies with the client or this process."""
    message, handles, _, _ = socket.recv_fds(connection, LARGEST, 64)
    if not message:
        return
    process = os.fork()
    if process == 0:
        die_with_parent()
        connection.close()
        _run(handles)
    for handle in handles:
        os.close(handle)
    end = os.pidfd_open(process)
    with contextlib.suppress(OSError):  # a client that has gone
        socket.send_fds(connection, [json.dumps({"pid": process}).encode()], [end])
        # The client sends nothing more, but may close the connection.
        if connection.fileno() not in select.select([connection.fileno(), end], [], [])[0]:
            _, status = os.waitpid(process, 0)
            connection.send(json.dumps({"status": os.waitstatus_to_exitcode(status)}).encode())


def _run(handles: list[int]) -> NoReturn:
    """Become the requested process, as if it had been started afresh; `handles` are its request and its files."""
    status = 1
    try:
        with os.fdopen(handles[0], "rb") as stream:
            request = json.load(stream)
        _take_files(handles[1:], request["targets"])
        # The server's own stream objects would treat a pipe as a file if the server was started with files.
        for name, number in (("stdin", 0), ("stdout", 1), ("stderr", 2)):
            before = getattr(sys, name)
            kept = {"encoding": before.encoding, "errors": before.errors, "closefd": False}
            setattr(sys, name, open(number, before.mode, 1 if number == 2 else -1, **kept))  # noqa: PTH123, SIM115
        os.environ.clear()
        os.environ.update(request["environment"])
        if sys.argv[2] == WORKERS:
            del os.environ[RUN]  # a worker must not start its own server, which would import everything again
        os.chdir(request["folder"])
        if not sys.flags.safe_path:
            sys.path.append(request["folder"])  # a user's own families and convolutions are there
        _vary()
        name = request["module"].rpartition(".")[2]
        ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)  # ps and top tell it from the server
        module = importlib.import_module(request["module"])
        sys.argv = [str(module.__file__), *request["arguments"]]
        status = module.main() or 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # as Python itself does at the end of a process
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _take_files(handles: Sequence[int], targets: Sequence[int]) -> None:
    """Give the files the descriptor numbers that the client expects; such a number may be in use for another file."""
    above = [fcntl.fcntl(handle, fcntl.F_DUPFD_CLOEXEC, max(targets) + 1) for handle in handles]
    for handle in handles:
        os.close(handle)
    for handle, target in zip(above, targets, strict=True):
        os.dup2(handle, target)
        os.close(handle)


def _vary() -> None:
    """Vary what differs between freshly started processes: random states and memory addresses."""
    numpy.random.seed()
    library = ctypes.CDLL(None)
    library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    for unit in (16, 4096):
        library.malloc(unit * random.SystemRandom().randrange(1, 4096))


def main() -> None:
    """Import the modules that processes of a kind use, and serve the run that the environment names."""
    run = os.environ[RUN]
    ended = os.pidfd_open(int(run.split(":")[1]))
    if this_run(int(run.split(":")[1])) != run:
        return
    listener = socket.socket(fileno=int(sys.argv[1]))
    for module in _IMPORTED[sys.argv[2]]:
        importlib.import_module(module)
    function, *arguments = _MADE[sys.argv[2]]
    resolve_name(function)(*arguments)
    gc.collect()
    gc.freeze()
    _serve(listener, ended)


if __name__ == "__main__":
    main()
