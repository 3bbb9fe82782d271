"""A forked process is as good as a started one, and dies with whoever asked for it, with its server and its run."""

import contextlib
import fcntl
import json
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gnn_checkpointing.measurement import forked
from gnn_checkpointing.measurement.allocator import worker_environment
from gnn_checkpointing.measurement.exclusive import LOCK, parent_of
from gnn_checkpointing.measurement.forked import RUN, fork_process, leave_to_server, start_process, this_run
from gnn_checkpointing.study.graph_design import study_graphs
from gnn_checkpointing.study.policy_names import EDGES, POLICIES, SEGMENTS, SHARE
from gnn_checkpointing.study.reading import read_study
from measurement.cells import measured, small_study, study_of
from waiting import is_gone, own, wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a server forks on Linux alone")

SPEAKING = """
import ctypes, json, os, random, resource, sys, time
import numpy
from gnn_checkpointing.measurement.exclusive import LOCK, parent_of
CODE = "torch_geometric.nn.conv.gatv2_conv_GATv2Conv_propagate"
def main():
    said = {"pid": os.getpid(), "server": parent_of(os.getppid()), "arguments": sys.argv[1:], "folder": os.getcwd(),
            "environment": {k: v for k, v in os.environ.items() if k not in ("GNN_CHECKPOINTING_RUN", "LC_CTYPE")},
            "limit": resource.getrlimit(resource.RLIMIT_NOFILE), "forked": CODE in sys.modules,
            "stdin": sys.stdin.read(), "drawn": [random.random(), numpy.random.rand(),
                      ctypes.addressof(ctypes.c_char.from_buffer(bytearray(10**6)))]}
    os.write(int(sys.argv[1]), b"passed")
    print(json.dumps(said), flush=True)
    if len(sys.argv) > 2:
        time.sleep(600) if sys.argv[2] == "sleep" else sys.exit(int(sys.argv[2]))
if __name__ == "__main__":
    main()
"""


@pytest.fixture(scope="module")
def run() -> Iterator[subprocess.Popen[bytes]]:
    """A process that stands for the run: its end is the end of the server."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs of a shell, and their servers, ignore it
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


@pytest.fixture
def environment(run: subprocess.Popen[bytes]) -> dict[str, str]:
    return worker_environment(dict(os.environ), "retaining", 1) | {RUN: this_run(run.pid)}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(forked, "_START_SECONDS", 300.0)  # other tests may take the processor
    (tmp_path / "speaking.py").write_text(SPEAKING)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def spoken(environment: dict[str, str], folder: Path, *arguments: str) -> tuple[Any, dict[str, Any]]:
    """A process that speaks, and what it says; a file is passed to it under a number."""
    (folder / "in").write_text("asked")
    (folder / "out").unlink(missing_ok=True)
    handle = os.open(folder / "passed", os.O_RDWR | os.O_CREAT)
    with (folder / "in").open("rb") as stdin, (folder / "out").open("wb") as out:
        process = start_process("speaking", [str(handle), *arguments], environment, (stdin, out, out), (handle,))
    os.close(handle)
    assert wait_for(lambda: (folder / "out").read_text().endswith("\n"), 300)
    return process, json.loads((folder / "out").read_text().splitlines()[0])


def test_a_forked_process_is_as_one_that_was_started(environment: dict[str, str], folder: Path) -> None:
    """Same files, arguments, folder, environment and limits; other random numbers and other places in memory.

    It has what PyG generates for its convolutions, too.
    """
    process, started = spoken({k: v for k, v in environment.items() if k != RUN}, folder)
    assert (process.wait(), started.pop("forked")) == (0, False)
    found = []
    for number in range(3):
        process, said = spoken(environment, folder)
        assert (process.wait(), said.pop("forked")) == (0, True), number
        assert (folder / "passed").read_text() == "passed"
        found.append(said.pop("drawn"))
        assert {k: said[k] for k in said if k not in ("pid", "server")} == {
            k: started[k] for k in started if k not in ("pid", "server", "drawn")
        }
    assert all(len(set(drawn)) == 3 for drawn in zip(*found, strict=True))


@pytest.mark.parametrize(("asked", "status"), [("0", 0), ("3", 3), ("no number", 1)])
def test_its_end_is_told(environment: dict[str, str], folder: Path, asked: str, status: int) -> None:
    process, _ = spoken(environment, folder, asked)
    assert process.wait() == status == process.wait()


def test_it_can_be_killed(environment: dict[str, str], folder: Path) -> None:
    process, said = spoken(environment, folder, "sleep")
    process.send_signal(signal.SIGTERM)
    assert process.wait() == -signal.SIGTERM
    assert is_gone(said["pid"])
    process.kill()  # whoever has its number now is left alone


def test_a_client_with_other_limits_has_processes_with_those(environment: dict[str, str], folder: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, limits[1]))
    try:
        process, said = spoken(environment, folder)
        assert (process.wait(), said["forked"], said["limit"]) == (0, True, [200, limits[1]])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_the_death_of_the_client_is_its_processs(environment: dict[str, str], folder: Path) -> None:
    """And the server goes on."""
    code = (
        "import os, sys, time; sys.path.insert(0, os.environ['TESTS'])\n"
        "from pathlib import Path; from measurement.test_fork_server import spoken\n"
        "print(spoken(dict(os.environ), Path('.'), 'sleep')[1]['pid'], flush=True); time.sleep(600)"
    )
    tests = {"TESTS": str(Path(__file__).parents[1])}
    with subprocess.Popen([sys.executable, "-c", code], env=environment | tests, stdout=subprocess.PIPE) as client:
        assert client.stdout is not None
        child = int(client.stdout.readline())
        assert not is_gone(child)
        client.kill()
    assert wait_for(lambda: is_gone(child))
    assert spoken(environment, folder)[0].wait() == 0


NAMES = {
    kind: kind + {"": "", SEGMENTS: "(2)", SHARE: "(0.5)", EDGES: "(100)"}[policy.takes]
    for kind, policy in POLICIES.items()
    if not policy.retired
}


@pytest.mark.parametrize(
    "compiled", [False, pytest.param(True, marks=[pytest.mark.minutes, pytest.mark.timeout(1200)])]
)
def test_every_policys_bytes_are_those_of_a_started_process(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiled: bool
) -> None:
    """To the byte; the high-water mark, which counts pages, within its own tolerance of the exact count."""
    exact = attrgetter("policy", "outcome", "memory", "sameness")
    names = [name for kind, name in NAMES.items() if kind != "none" and POLICIES[kind].compiled == compiled]
    started = measured(small_study("GATv2", ("none", *names)), tmp_path / "started")
    monkeypatch.setenv(RUN, environment[RUN])
    found = measured(small_study("GATv2", ("none", *names)), tmp_path / "forked")
    assert found.policies[0].outcome == "completed"
    for one, other in zip(started.policies, found.policies, strict=True):
        assert exact(one) == exact(other)
        if one.readings is not None and other.readings is not None:
            assert one.readings.fake_tensor_bytes == other.readings.fake_tensor_bytes
            assert one.readings.high_water_agrees is other.readings.high_water_agrees, one.policy
            marks = one.readings.high_water_bytes, other.readings.high_water_bytes
            assert marks == (None, None) or abs(marks[0] - marks[1]) < 2**20, (one.policy, marks)


def test_the_death_of_the_server_is_its_processs(environment: dict[str, str], folder: Path) -> None:
    """The client hears of it as of a SIGKILL, and the next process has a new server."""
    process, said = spoken(environment, folder, "sleep")
    signal.pidfd_send_signal(own(said["server"], f"{RUN}={environment[RUN]}"), signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert wait_for(lambda: is_gone(said["pid"]))
    after, new = spoken(environment, folder)
    assert (after.wait(), new["forked"]) == (0, True)
    assert new["server"] != said["server"]


def test_one_server_forks_all_processes_of_a_graph_and_lives_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first measured process starts it; what ends with that process is what that process started."""
    monkeypatch.setattr(forked, "_SERVERS", [])
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as run:
        monkeypatch.setenv(RUN, this_run(run.pid))
        assert len(measured(study_of(60, 4, processes=2), tmp_path).runs) == 2
        (server,) = forked._SERVERS
        assert server.poll() is None
        run.kill()
    assert server.wait(60) == 0


def test_a_server_that_is_stopped_keeps_nobody_waiting(
    environment: dict[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor the process of it that would say how the measured one ended; the next one is started instead."""
    process, said = spoken(environment, folder, "sleep")
    monkeypatch.setattr(forked, "_START_SECONDS", 0.5)
    monkeypatch.setattr(forked, "_PATIENCE_SECONDS", 0.1)
    # Of a process that no server forked, these would be the run of tests.
    stopped = [own(one, f"{RUN}={environment[RUN]}") for one in (said["server"], parent_of(said["pid"]))]
    for handle in stopped:
        signal.pidfd_send_signal(handle, signal.SIGSTOP)
    try:
        process.send_signal(signal.SIGTERM)
        assert process.wait() == -signal.SIGKILL
        after, new = spoken(environment, folder)
        assert (after.wait(), new["forked"]) == (0, False)
    finally:
        signal.pidfd_send_signal(stopped[0], signal.SIGKILL)


def test_the_end_of_the_run_is_that_of_all(environment: dict[str, str], folder: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as run:
        process, said = spoken(environment | {RUN: this_run(run.pid)}, folder, "sleep")
        run.kill()
    assert wait_for(lambda: is_gone(said["pid"]) and is_gone(said["server"]))
    assert process.wait() == -signal.SIGKILL


@pytest.mark.parametrize(("status", "code"), [(0, 0), (3, 3), (-signal.SIGKILL, 128 + 9)])
def test_a_command_left_to_the_server_ends_as_it_ended_there(
    monkeypatch: pytest.MonkeyPatch, status: int, code: int
) -> None:
    """And is not run once more here; without a server it goes on."""
    process = SimpleNamespace(ends_within=lambda _: True, wait=lambda: status)
    monkeypatch.setattr(forked, "fork_process", lambda *_, **_kind: process)
    with pytest.raises(SystemExit) as ended:
        leave_to_server(small_study())
    assert ended.value.code == code
    monkeypatch.setattr(forked, "fork_process", lambda *_, **_kind: None)
    leave_to_server(small_study())


@pytest.mark.parametrize("when", ["looking", "asking", "waiting"])
def test_an_interrupt_reaches_the_command_whenever_it_comes(monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    received: list[int] = []
    looks = iter((False, True, True))

    def at(moment: str, value: Any) -> Any:
        if moment == when and not received:
            signal.raise_signal(signal.SIGINT)
        return value

    process = SimpleNamespace(
        ends_within=lambda _: at("looking", next(looks)), wait=lambda: at("waiting", 130), send_signal=received.append
    )
    monkeypatch.setattr(forked, "asker", lambda: lambda: at("asking", True))
    monkeypatch.setattr(forked, "fork_process", lambda *_, **_kind: process)
    try:
        assert forked._run_elsewhere([], {}, forked.COMMANDS) == 130
        assert received == [signal.SIGINT]
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_interrupt_before_the_process_is_there_ends_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: Any, **_kind: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setenv(RUN, "some")
    monkeypatch.setattr(forked, "fork_process", interrupted)
    assert forked.forked_command(["design"]) == 130
    assert capfd.readouterr().err == "error: interrupted; run it again to resume\n"


def test_a_server_that_does_not_answer_is_left(
    environment: dict[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection is closed, which ends what it may yet fork, before another process is started instead."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    monkeypatch.setattr(forked, "_connected", lambda *_: ours)
    monkeypatch.setattr(forked, "_START_SECONDS", 0.1)
    with theirs, Path(os.devnull).open("rb+") as nothing:
        assert fork_process("speaking", [], environment, (nothing,) * 3) is None
        assert ours.fileno() == -1


def test_a_server_that_cannot_import_is_none(
    environment: dict[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process is started instead, and says itself what is wrong."""
    (folder / "broken").mkdir()
    (folder / "broken/torch.py").write_text("raise ImportError('broken')")
    process, said = spoken(environment | {"PYTHONPATH": f"{folder}/broken:{os.environ.get('PYTHONPATH', '')}"}, folder)
    assert (process.wait(), said["forked"]) == (0, False)


def test_another_process_is_not_taken_for_the_run(environment: dict[str, str]) -> None:
    boot, process, start = environment[RUN].split(":")
    with Path(os.devnull).open("rb+") as nothing:
        for other in (f"{boot}:{process}:{int(start) + 1}", f"other:{process}:{start}", ""):
            assert fork_process("speaking", [], environment | {RUN: other}, (nothing,) * 3) is None


SMOKE = Path(__file__).parents[2] / "workflow/studies/smoke.yaml"
COMMAND = (sys.executable, "-m", "gnn_checkpointing")


def forked_commands(environment: dict[str, str]) -> list[int]:
    """The commands that a server of this run has forked: they have its environment from its start."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            ours = f"{RUN}={environment[RUN]}".encode() in (place / "environ").read_bytes().split(b"\0")
            if ours and (place / "comm").read_text() == "cli\n" and not is_gone(int(place.name)):
                found.append(int(place.name))
    return found


@pytest.mark.parametrize("wrong", [[], ["--study", "none.yaml"]])
def test_a_command_says_the_same_where_a_server_runs_it(
    environment: dict[str, str], tmp_path: Path, wrong: list[str]
) -> None:
    """The first one starts the server and runs by itself; the next has nothing to import."""
    asked = [*COMMAND, "design", "--study", str(SMOKE), *wrong]
    alone = {name: value for name, value in environment.items() if name != RUN}
    said = [subprocess.run(asked, env=env, capture_output=True, cwd=tmp_path) for env in (alone, environment)]
    imports = [sys.executable, "-X", "importtime", *asked[1:]]
    forked = subprocess.run(imports, env=environment, capture_output=True, cwd=tmp_path)
    lines = forked.stderr.splitlines(keepends=True)
    assert b"cyclopts" not in forked.stderr
    said.append(forked)
    forked.stderr = b"".join(line for line in lines if not line.startswith(b"import time:"))
    assert len({(one.returncode, one.stdout, one.stderr) for one in said}) == 1
    assert said[0].returncode == (2 if wrong else 0)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_command_that_a_server_runs_ends_with_its_client(
    environment: dict[str, str], tmp_path: Path, number: signal.Signals, code: int
) -> None:
    subprocess.run([*COMMAND, "design", "--study", SMOKE], env=environment, check=True, capture_output=True)
    graph = study_graphs(read_study(SMOKE))[0].id
    asked = [*COMMAND, "graph", "--study", SMOKE, "--graph", graph, "--output", tmp_path / "graph.npz"]
    with (tmp_path / "lock").open("w") as lock:
        (tmp_path / "lock").chmod(0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        client = subprocess.Popen(asked, env=environment | {LOCK: lock.name}, stderr=subprocess.PIPE)
        with client, contextlib.ExitStack() as at_last:
            at_last.callback(client.kill)
            assert client.stderr is not None
            assert b"waiting for another measurement" in client.stderr.readline()
            (command,) = forked_commands(environment)
            client.send_signal(number)
            assert client.wait(60) == code
            assert wait_for(lambda: is_gone(command))
            assert (b"interrupted; run it again" in client.stderr.read()) == (number == signal.SIGINT)
