"""Fork processes from servers that have already imported the modules they need (Linux).

One server has imported torch and PyG and forks measured processes; the other forks commands. The first process of a
kind starts its server (`fork_server.py`), which ends with the run, that is, with the process that `RUN` names. There is
one server for each state that a process cannot change after its start: the environment that libraries read once, the
limits, the code. Without a run, or if a server fails, a process is started in the ordinary way. Clients and servers
exchange sequenced packets over an abstract Unix socket.
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
from typing import IO, TYPE_CHECKING

from gnn_checkpointing.artefacts import digest
from gnn_checkpointing.measurement.exclusive import asker, state_of

if TYPE_CHECKING:
    from gnn_checkpointing.study.study import Study  # not imported here: the forked command does that

RUN = "GNN_CHECKPOINTING_RUN"
"""Environment variable that names the process whose end is the end of the run, in the format of `this_run`."""

MARK = "GNN_CHECKPOINTING_WORKER"
"""Environment variable that marks one measured process and all that it starts; all are killed when it ends."""

_PACKAGE = Path(__file__).resolve().parent.parent
_LIBRARIES = ("LD_", "MALLOC_", "GLIBC_", "OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "PYTHON", "LANG", "LC_")
_DEVICES = ("TORCH", "PYTORCH_", "KINETO_", "CUDA_", "CUBLAS", "NVIDIA_")
_PLACES = ("HOME", "TMPDIR", "XDG_", "MPL")
_COMMAND_LINE = "gnn_checkpointing.cli"
_NEVER_FORKED = ("demonstrate",)  # Snakemake's benchmark reads the memory of the process that it has started
WORKERS, COMMANDS = "workers", "commands"  # kinds of servers
_START_SECONDS = 60.0
"""Time for imports on a slow disk."""
_PATIENCE_SECONDS = 5.0
"""Time for a reply from a running server."""
_LOOK_SECONDS = 0.5
"""Time between two checks whether a command is still wanted."""
LARGEST = 1 << 16
"""Maximum size in bytes of one message between a client and the server."""

Streams = tuple[IO[bytes], IO[bytes], IO[bytes]]
"""Standard input, output and error of a process."""


def this_run(process: int | None = None) -> str:
    """Unambiguous name of a process, from boot id, process id and start time; "" if Linux does not provide them."""
    process = os.getpid() if process is None else process
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}:{process}:{state_of(process)[19]}"
    except (OSError, IndexError):
        return ""


class Forked:
    """A process that the server has forked; offers the part of `subprocess.Popen`'s interface that is used here."""

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
        """Kill the process."""
        self.send_signal(signal.SIGKILL)

    def ends_within(self, seconds: float | None = None) -> bool:
        """Wait for the end of the process, at most `seconds` if given; returns whether it has ended."""
        ended = [self._handle, self._connection.fileno()]
        return self.returncode is not None or bool(select.select(ended, [], [], seconds)[0])

    def wait(self) -> int:
        """Wait for the exit code, or the negative signal number; -SIGKILL if the server was killed or stopped."""
        if self.returncode is None:
            self.ends_within()
            self._connection.settimeout(_PATIENCE_SECONDS)  # a server stopped by a signal sends no status
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
"""Does what `python -m` does, but with the working folder last on the path."""


def start_process(
    module: str, arguments: Sequence[str], environment: dict[str, str], streams: Streams, pass_fds: Sequence[int] = ()
) -> Forked | subprocess.Popen[bytes]:
    """Run `python -m module arguments`: forked by this run's server, or as a new process if there is no server."""
    if forked := fork_process(module, arguments, environment, streams, pass_fds):
        return forked
    command = [sys.executable, "-c", _STARTING, module, *arguments]
    stdin, output, errors = streams
    return subprocess.Popen(command, stdin=stdin, stdout=output, stderr=errors, env=environment, pass_fds=pass_fds)


def fork_process(
    module: str,
    arguments: Sequence[str],
    environment: dict[str, str],
    streams: Streams,
    pass_fds: Sequence[int] = (),
    kind: str = WORKERS,
) -> Forked | None:
    """Have this run's server of that kind fork a process that runs `module`; None if there is no such server."""
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
        handles = [*(file.fileno() for file in (asked, *streams)), *pass_fds]
        with contextlib.suppress(OSError), contextlib.ExitStack() as unless_forked:
            connection = unless_forked.enter_context(_connected(_name(run, environment, kind), environment, kind))
            socket.send_fds(connection, [b"start"], handles)
            forked = Forked(connection)
            unless_forked.pop_all()  # a closed connection ends the process, which another one may replace
            return forked
        return None


def leave_to_server(study: Study) -> None:
    """Run this command in a process forked with torch imported and exit with its status; return if not possible."""
    from gnn_checkpointing.measurement.allocator import worker_environment
    from gnn_checkpointing.measurement.gpu import expected_device

    if expected_device(study.measurement.device) == "cuda":
        return  # CUDA does not survive a fork
    environment = worker_environment(dict(os.environ), study.measurement.allocators[0], study.measurement.threads)
    if (status := _run_elsewhere(sys.argv[1:], environment, WORKERS)) is not None:
        raise SystemExit(status)


def forked_command(arguments: Sequence[str]) -> int | None:
    """Run a command in a process forked with its imports done; returns its exit code, or None if not possible."""
    if RUN not in os.environ or not {*arguments}.isdisjoint(_NEVER_FORKED) or None in (sys.stdout, sys.stderr):
        return None
    try:
        return _run_elsewhere(arguments, dict(os.environ), COMMANDS)
    except OSError:  # for instance, the working folder was deleted: the command reports that itself
        return None
    except KeyboardInterrupt:  # before the process was there
        print("error: interrupted; run it again to resume", file=sys.stderr)  # noqa: T201
        return 130


def _run_elsewhere(arguments: Sequence[str], environment: dict[str, str], kind: str) -> int | None:
    """Have a server fork a command and wait for its exit code; interrupts and the end of this process reach it."""
    is_wanted = asker()
    with Path(os.devnull).open("rb") as nothing:
        streams = nothing, sys.stdout.buffer, sys.stderr.buffer
        process = fork_process(_COMMAND_LINE, arguments, environment, streams, kind=kind)
    if process is None:
        return None
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda *_: process.send_signal(signal.SIGINT))
    try:
        while not process.ends_within(_LOOK_SECONDS):
            if not is_wanted():
                return 1  # the end of this process also ends the other
        status = process.wait()
        return status if status >= 0 else 128 - status  # the convention of shells for signals
    finally:
        signal.signal(signal.SIGINT, before)


def _name(run: str, environment: dict[str, str], kind: str) -> str:
    """Abstract name of the server's socket: a digest of the run and of what a process cannot change once started."""
    kept = {name: value for name, value in environment.items() if name.startswith(_LIBRARIES + _DEVICES + _PLACES)}
    limits = [resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT_")]
    sources = [(str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(_PACKAGE.rglob("*.py"))]
    state = [run, kind, kept, limits, sorted(os.sched_getaffinity(0)), os.nice(0), os.getuid(), sys.executable, sources]
    return f"\0gnn-checkpointing-{digest(state, 32)}"


_SERVERS: list[subprocess.Popen[bytes]] = []
"""Servers that this process has started. They may outlive it, and nobody waits for them."""


def _connected(name: str, environment: dict[str, str], kind: str) -> socket.socket:
    """Connect to the server of that name; the first process to bind the name starts the server."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        try:
            listener.bind(name)
        except OSError:
            pass  # it is there already
        else:
            listener.listen(64)
            server = subprocess.Popen(
                [sys.executable, "-m", "gnn_checkpointing.measurement.fork_server", str(listener.fileno()), kind],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                # Without a client's mark: otherwise the server, with all its forks, would be killed with that client.
                env={name: value for name, value in environment.items() if name != MARK},
                pass_fds=(listener.fileno(),),
                cwd="/",
                start_new_session=True,  # Ctrl-C must end the clients only, and they end their processes
            )
            _SERVERS.append(server)
            if kind == COMMANDS:
                raise ConnectionRefusedError("one command needs less than all that the server imports first")
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connection.connect(name)
    pair = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    if struct.unpack("3i", pair)[1] != os.getuid():
        connection.close()
        raise ConnectionError("another user's server")
    return connection
