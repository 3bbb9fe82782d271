"""Fresh processes that need not import torch and PyG: one process has done so, and forks (Linux).

The first measured process of a run starts the server, which ends with the run: the process that `RUN` names. There is
a server for each state that a process keeps from its start: the environment that the C library, the linker and
torch read once, the limits, the code. Without a run, or where a server fails, a process is started as any other.

The server runs nothing of torch, so a child inherits no threads and no random numbers that were drawn. All connections
are sequenced packets on an abstract Unix socket. The death of a client kills its process; that of the server kills all.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import fcntl
import gc
import importlib
import json
import os
import random
import resource
import selectors
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import IO, NoReturn

import numpy

from gnn_checkpointing.artefacts import digest
from gnn_checkpointing.measurement.allocator import worker_environment
from gnn_checkpointing.measurement.exclusive import die_with_parent
from gnn_checkpointing.measurement.gpu import expected_device
from gnn_checkpointing.study.study import Study

RUN = "GNN_CHECKPOINTING_RUN"
"""Environment variable that names the process whose end is the end of the run, as `this_run` does."""

_PACKAGE = Path(__file__).resolve().parent.parent
_LIBRARIES = ("LD_", "MALLOC_", "GLIBC_", "OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "PYTHON", "LANG", "LC_")
_DEVICES = ("TORCH", "PYTORCH_", "KINETO_", "CUDA_", "CUBLAS", "NVIDIA_")
_PR_SET_NAME = 15
_COMMANDS = "gnn_checkpointing.cli"
_IMPORTED = (
    "gnn_checkpointing.measurement.worker",
    "gnn_checkpointing.training.every_policy",
    "gnn_checkpointing.cli.app",
    "torch_geometric.datasets",
)
_LARGEST = 1 << 16


def this_run(process: int | None = None) -> str:
    """A process by boot, number and start, so that no other is ever taken for it; "" where Linux does not say."""
    process = os.getpid() if process is None else process
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        start = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return ""
    return f"{boot}:{process}:{start}"


class Forked:
    """A process that the server has forked, with what `subprocess.Popen` has of it."""

    def __init__(self, connection: socket.socket) -> None:
        message, handles, _, _ = socket.recv_fds(connection, _LARGEST, 1)
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
        """The exit code, or the negative number of the signal; SIGKILL where the server was killed."""
        if self.returncode is None:
            try:
                answer = self._connection.recv(_LARGEST)
            except ConnectionError:
                answer = b""
            self.returncode = json.loads(answer)["status"] if answer else -signal.SIGKILL
            self._connection.close()
            os.close(self._handle)
        return self.returncode


def start_process(
    module: str,
    arguments: Sequence[str],
    environment: dict[str, str],
    stdin: IO[bytes],
    output: IO[bytes],
    errors: IO[bytes],
    pass_fds: Sequence[int] = (),
) -> Forked | subprocess.Popen[bytes]:
    """`python -m module arguments`, forked by this run's server, or started where there is none."""
    forked = fork_process(module, arguments, environment, stdin, output, errors, pass_fds)
    if forked is not None:
        return forked
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.Popen(
        command, stdin=stdin, stdout=output, stderr=errors, env=environment, pass_fds=tuple(pass_fds)
    )


def fork_process(
    module: str,
    arguments: Sequence[str],
    environment: dict[str, str],
    stdin: IO[bytes],
    output: IO[bytes],
    errors: IO[bytes],
    pass_fds: Sequence[int] = (),
) -> Forked | None:
    """A process that runs `module` of this package, forked by this run's server; None where there is none."""
    run = environment.get(RUN, "")
    if not run or this_run(int(run.split(":")[1])) != run:
        return None
    request = {"module": module, "arguments": list(arguments), "environment": environment, "folder": str(Path.cwd())}
    targets = [0, 1, 2, *pass_fds]
    with tempfile.TemporaryFile() as stream:
        stream.write(json.dumps(request | {"targets": targets}).encode())
        stream.seek(0)
        sent = [stream.fileno(), stdin.fileno(), output.fileno(), errors.fileno(), *pass_fds]
        try:
            connection = _connected(_name(run, environment), environment)
            socket.send_fds(connection, [b"start"], sent)
            return Forked(connection)
        except OSError:
            return None


def leave_to_server(study: Study) -> None:
    """Have this command run where torch has been imported, and end as it ends; go on where that is not possible."""
    environment = worker_environment(dict(os.environ), study.measurement.allocators[0], study.measurement.threads)
    if expected_device(study.measurement.device) == "cuda":
        return  # CUDA does not survive a fork
    with Path(os.devnull).open("rb") as nothing:
        process = fork_process(_COMMANDS, sys.argv[1:], environment, nothing, sys.stdout.buffer, sys.stderr.buffer)
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


def _connected(name: str, environment: dict[str, str]) -> socket.socket:
    """A connection to the server of that name; whoever takes the name first starts it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        try:
            listener.bind(name)
        except OSError:
            pass  # it is there already
        else:
            listener.listen(64)
            # The client may end before the server, and nobody waits for it.
            _SERVERS.append(_started(listener, environment))
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connection.connect(name)
    size = struct.calcsize("3i")
    _, owner, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    if owner != os.getuid():
        connection.close()
        raise ConnectionError("another user's server")
    return connection


_SERVERS: list[subprocess.Popen[bytes]] = []


def _started(listener: socket.socket, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "gnn_checkpointing.measurement.fork_server", str(listener.fileno())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        pass_fds=(listener.fileno(),),
        cwd="/",
        start_new_session=True,  # Ctrl-C ends the clients, and they their processes
    )


class _Server:
    """Forks a process for each connection, and tells what became of it."""

    def __init__(self, listener: socket.socket, run: int) -> None:
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ, self._accept)
        self._selector.register(run, selectors.EVENT_READ, lambda _: os._exit(0))

    def serve(self) -> None:
        """Answer until the run ends."""
        while True:
            (key, _), *_ = self._selector.select()  # the first alone: it may close what another is about
            key.data(key.fileobj)

    def _accept(self, listener: socket.socket) -> None:
        connection, _ = listener.accept()
        self._selector.register(connection, selectors.EVENT_READ, self._fork)

    def _fork(self, connection: socket.socket) -> None:
        message, handles, _, _ = socket.recv_fds(connection, _LARGEST, 64)
        if not message:
            self._selector.unregister(connection)
            connection.close()
            return
        process = os.fork()
        if process == 0:
            die_with_parent()
            for key in list(self._selector.get_map().values()):
                key.fileobj.close() if isinstance(key.fileobj, socket.socket) else os.close(key.fd)
            self._selector.close()
            _run(handles)
        for handle in handles:
            os.close(handle)
        handle = os.pidfd_open(process)
        self._selector.modify(connection, selectors.EVENT_READ, lambda _: self._abandoned(connection, handle))
        self._selector.register(handle, selectors.EVENT_READ, lambda _: self._ended(connection, handle, process))
        with contextlib.suppress(OSError):  # a client that has gone is seen at the next look
            socket.send_fds(connection, [json.dumps({"pid": process}).encode()], [handle])

    def _abandoned(self, connection: socket.socket, handle: int) -> None:
        """Kill the process of a client that has gone."""
        self._selector.unregister(connection)
        signal.pidfd_send_signal(handle, signal.SIGKILL)

    def _ended(self, connection: socket.socket, handle: int, process: int) -> None:
        _, status = os.waitpid(process, 0)
        self._selector.unregister(handle)
        os.close(handle)
        with contextlib.suppress(OSError):
            connection.send(json.dumps({"status": os.waitstatus_to_exitcode(status)}).encode())
        with contextlib.suppress(KeyError):
            self._selector.unregister(connection)
        connection.close()


def _run(handles: list[int]) -> NoReturn:
    """Be the process that was asked for, as if it had been started; `handles` are its request and its files."""
    status = 1
    try:
        with os.fdopen(handles[0], "rb") as stream:
            request = json.load(stream)
        _take_files(handles[1:], request["targets"])
        os.environ.clear()
        os.environ.update(request["environment"])
        del os.environ[RUN]  # a server of its own would import all again
        os.chdir(request["folder"])
        if not sys.flags.safe_path:
            sys.path[0] = request["folder"]  # where a user's own families and convolutions are found
        _vary()
        name = request["module"].rpartition(".")[2]
        ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)  # ps and top tell it from the server
        module = importlib.import_module(request["module"])
        sys.argv = [str(module.__file__), *request["arguments"]]
        status = module.main() or 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # what Python itself does at the end of a process
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _take_files(handles: Sequence[int], targets: Sequence[int]) -> None:
    """Give the files the numbers that the client knows them by; a number may be that of another one now."""
    above = [fcntl.fcntl(handle, fcntl.F_DUPFD_CLOEXEC, max(targets) + 1) for handle in handles]
    for handle in handles:
        os.close(handle)
    for handle, target in zip(above, targets, strict=True):
        os.dup2(handle, target)
        os.close(handle)


def _vary() -> None:
    """What differs from one started process to the next: random states, and where its memory lies."""
    numpy.random.seed()
    library = ctypes.CDLL(None)
    library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    for unit in (16, 4096):
        library.malloc(unit * random.SystemRandom().randrange(1, 4096))


def main() -> None:
    """Import what measured processes use, and serve the run that the environment names."""
    run = os.environ[RUN]
    ended = os.pidfd_open(int(run.split(":")[1]))
    if this_run(int(run.split(":")[1])) != run:
        return
    listener = socket.socket(fileno=int(sys.argv[1]))
    for module in _IMPORTED:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()
    _Server(listener, ended).serve()


if __name__ == "__main__":
    main()
