"""Processes that need not import torch and PyG: this run's server has imported them, and forks (Linux).

The first measured process of a run starts the server (`fork_server.py`), which ends with the run: the process that
`RUN` names. There is a server for each state that a process keeps from its start: the environment that the C library,
the linker and torch read once, the limits, the code. Without a run, or where a server fails, a process is started as
any other. All connections are sequenced packets on an abstract Unix socket.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from gnn_checkpointing.artefacts import digest
from gnn_checkpointing.measurement.allocator import worker_environment
from gnn_checkpointing.measurement.exclusive import state_of
from gnn_checkpointing.measurement.gpu import expected_device
from gnn_checkpointing.study.study import Study

RUN = "GNN_CHECKPOINTING_RUN"
"""Environment variable that names the process whose end is the end of the run, as `this_run` does."""

MARK = "GNN_CHECKPOINTING_WORKER"
"""Environment variable of one measured process, which what it starts inherits; with it goes all that still has it."""

_PACKAGE = Path(__file__).resolve().parent.parent
_LIBRARIES = ("LD_", "MALLOC_", "GLIBC_", "OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "PYTHON", "LANG", "LC_")
_DEVICES = ("TORCH", "PYTORCH_", "KINETO_", "CUDA_", "CUBLAS", "NVIDIA_")
_COMMANDS = "gnn_checkpointing.cli"
_START_SECONDS, _PATIENCE_SECONDS = 60.0, 5.0  # imports on a slow disk; a reply from a running server
LARGEST = 1 << 16
"""Bytes of one message between a client and the server."""

Streams = tuple[IO[bytes], IO[bytes], IO[bytes]]
"""Standard input, output and errors of a process."""


def this_run(process: int | None = None) -> str:
    """A process by boot, number and start, so that it is never confused with another; "" where Linux does not say."""
    process = os.getpid() if process is None else process
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}:{process}:{state_of(process)[19]}"
    except (OSError, IndexError):
        return ""


class Forked:
    """A process that the server has forked, with what `subprocess.Popen` has of it."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(_START_SECONDS)
        message, handles, _, _ = socket.recv_fds(connection, LARGEST, 1)
        connection.settimeout(None)
        if not handles:
            raise ConnectionError("the server has ended")
        self.pid: int = json.loads(message)["pid"]
        self.returncode: int | None = None
        self._handle, self._connection = handles[0], connection

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the process has ended."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)

    def kill(self) -> None:
        """End the process at once."""
        self.send_signal(signal.SIGKILL)

    def wait(self) -> int:
        """The exit code, or the negative number of the signal; SIGKILL where the server was killed or stopped."""
        if self.returncode is None:
            select.select([self._handle, self._connection.fileno()], [], [])
            self._connection.settimeout(_PATIENCE_SECONDS)  # a server that a signal has stopped says no status
            try:
                answer = self._connection.recv(LARGEST)
            except OSError:
                answer = b""
            self.returncode = json.loads(answer)["status"] if answer else -signal.SIGKILL
            self._connection.close()
            os.close(self._handle)
        return self.returncode


_STARTING = """
import sys
sys.flags.safe_path or sys.path.append(sys.path.pop(0))
import runpy
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
"""
"""What `python -m` does, with the working folder in the last place of the path."""


def start_process(
    module: str, arguments: Sequence[str], environment: dict[str, str], streams: Streams, pass_fds: Sequence[int] = ()
) -> Forked | subprocess.Popen[bytes]:
    """`python -m module arguments`, forked by this run's server, or started where there is none."""
    forked = fork_process(module, arguments, environment, streams, pass_fds)
    if forked is not None:
        return forked
    command = [sys.executable, "-c", _STARTING, module, *arguments]
    stdin, output, errors = streams
    return subprocess.Popen(command, stdin=stdin, stdout=output, stderr=errors, env=environment, pass_fds=pass_fds)


def fork_process(
    module: str, arguments: Sequence[str], environment: dict[str, str], streams: Streams, pass_fds: Sequence[int] = ()
) -> Forked | None:
    """A process that runs `module` of this package, forked by this run's server; None where there is none."""
    run = environment.get(RUN, "")
    try:
        if this_run(int(run.split(":")[1])) != run:
            return None
    except (IndexError, ValueError):
        return None
    request = {"module": module, "arguments": list(arguments), "environment": environment, "folder": str(Path.cwd())}
    with tempfile.TemporaryFile() as asked:
        asked.write(json.dumps(request | {"targets": [0, 1, 2, *pass_fds]}).encode())
        asked.seek(0)
        try:
            connection = _connected(_name(run, environment), environment)
            socket.send_fds(connection, [b"start"], [*(file.fileno() for file in (asked, *streams)), *pass_fds])
            return Forked(connection)
        except OSError:
            return None


def leave_to_server(study: Study) -> None:
    """Have this command run where torch has been imported, and end as it ends; go on where that is not possible."""
    environment = worker_environment(dict(os.environ), study.measurement.allocators[0], study.measurement.threads)
    if expected_device(study.measurement.device) == "cuda":
        return  # CUDA does not survive a fork
    with Path(os.devnull).open("rb") as nothing:
        process = fork_process(_COMMANDS, sys.argv[1:], environment, (nothing, sys.stdout.buffer, sys.stderr.buffer))
    if process is not None:
        status = process.wait()
        raise SystemExit(status if status >= 0 else 128 - status)  # as a shell says it


def _name(run: str, environment: dict[str, str]) -> str:
    """The abstract name of the server's socket: a digest of the run and of what its processes keep from their start."""
    kept = {name: value for name, value in environment.items() if name.startswith(_LIBRARIES + _DEVICES)}
    limits = [resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT_")]
    sources = [(str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(_PACKAGE.rglob("*.py"))]
    state = [run, kept, limits, sorted(os.sched_getaffinity(0)), os.nice(0), os.getuid(), sys.executable, sources]
    return f"\0gnn-checkpointing-{digest(state, 32)}"


_SERVERS: list[subprocess.Popen[bytes]] = []
"""The client may end before the server, and nobody waits for it."""


def _connected(name: str, environment: dict[str, str]) -> socket.socket:
    """A connection to the server of that name; whoever takes the name first starts it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        try:
            listener.bind(name)
        except OSError:
            pass  # it is there already
        else:
            listener.listen(64)
            server = subprocess.Popen(
                [sys.executable, "-m", "gnn_checkpointing.measurement.fork_server", str(listener.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                # Not one client's mark: with that client, the server would be ended, and what it forked for others.
                env={name: value for name, value in environment.items() if name != MARK},
                pass_fds=(listener.fileno(),),
                cwd="/",
                start_new_session=True,  # Ctrl-C ends the clients, and they their processes
            )
            _SERVERS.append(server)
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connection.connect(name)
    size = struct.calcsize("3i")
    _, owner, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    if owner != os.getuid():
        connection.close()
        raise ConnectionError("another user's server")
    return connection
