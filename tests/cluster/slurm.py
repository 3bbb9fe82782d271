"""A SLURM cluster on this machine's loopback: Debian's daemons under a configuration of their own, and their deaths."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self

from waiting import wait_for

CONFIGURATION = Path("/etc/slurm/slurm.conf")
"""Where SLURM's programs look in a job, whatever SLURM_CONF says outside."""

OURS = "# Written by tests/cluster, which takes it away again."
DAEMONS = ("munged", "slurmctld", "slurmd")
NODES = ("n1", "n2")
CORES = 2
MEMORY_MIB = 16_000
_MARK = "GNN_CHECKPOINTING_TEST_CLUSTER"
_PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"  # Debian's place for daemons
_LOCK = Path(tempfile.gettempdir()) / "gnn-checkpointing-test-cluster.lock"


def what_is_lacking() -> str:
    """Why no cluster can be started here; nothing where one can."""
    missing = [name for name in (*DAEMONS, "sbatch", "srun") if shutil.which(name, path=_PATH) is None]
    if missing:
        return f"{missing[0]} is missing: `make test-slurm` installs it"
    if os.geteuid() != 0:
        return f"only root may write {CONFIGURATION}"
    if CONFIGURATION.exists() and not CONFIGURATION.read_text().startswith(OURS):
        return f"{CONFIGURATION} is that of a real cluster, which the test leaves alone: run it on another machine"
    return ""


@dataclass(frozen=True)
class Finished:
    """A job that came to an end, as slurmctld wrote it down; one that is requeued comes to several."""

    id: str
    state: str
    node: str
    cores: int
    memory_mib: int
    started: datetime
    ended: datetime


@dataclass
class Cluster:
    """Two nodes and their controller."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp")))
    daemons: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self._lock = _LOCK.open("a")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    @property
    def environment(self) -> dict[str, str]:
        """The environment of whoever submits jobs; jobs inherit it, and its mark with it."""
        return os.environ | {"PATH": _PATH, _MARK: str(self.folder), "USER": "root"}

    def kill(self, node: str) -> None:
        """Let a node die: its daemon, what the daemon started, and the jobs, all at once and without a word."""
        own = (f"{_MARK}_NODE={node}", f"SLURMD_NODENAME={node}")
        assert wait_for(lambda: not self._killed(*own) and self.daemons[node].poll() is not None, 10), (
            f"{node} lives on"
        )

    def finished(self) -> list[Finished]:
        """The jobs that came to an end, in that order."""
        path = self.folder / "jobs"
        lines = path.read_text().splitlines() if path.exists() else []
        return [_finished(dict(part.split("=", 1) for part in line.split() if "=" in part)) for line in lines]

    def told(self, *command: str) -> str:
        """What one of SLURM's programs prints."""
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=True, timeout=30
        ).stdout

    def logs(self) -> str:
        """The ends of the daemons' logs."""
        return "\n".join(f"{path}:\n{path.read_text()[-3000:]}" for path in sorted(self.folder.glob("*.log")))

    def _start(self) -> None:
        (self.folder / "munge.key").write_bytes(os.urandom(1024))
        (self.folder / "munge.key").chmod(0o400)
        # As clusters do, each node has temporary files, and so a measuring lock, of its own.
        prolog = self.folder / "prolog"
        prolog.write_text(
            "#!/bin/sh\n"
            f"mkdir -p {self.folder}/tmp/$SLURMD_NODENAME\n"
            f'echo "export TMPDIR={self.folder}/tmp/$SLURMD_NODENAME"\n'
            f'echo "export GNN_CHECKPOINTING_LOCK={self.folder}/tmp/$SLURMD_NODENAME/lock"\n'
        )
        prolog.chmod(0o755)
        CONFIGURATION.parent.mkdir(exist_ok=True)
        CONFIGURATION.write_text(self._configuration())
        files = {name: self.folder / f"munge.{name}" for name in ("key", "socket", "pid", "seed")}
        self._run(
            "munged", "--foreground", "--force", f"--key-file={files['key']}", f"--socket={files['socket']}",
            f"--pid-file={files['pid']}", f"--seed-file={files['seed']}", f"--log-file={self.folder}/munge-own.log",
        )  # fmt: skip
        assert wait_for(files["socket"].exists, 60), "no munged"
        self._run("slurmctld", "-D", "-c")
        for node in NODES:
            self._run("slurmd", "-D", "-N", node, called=node)
        assert wait_for(lambda: self._states() == dict.fromkeys(NODES, "idle"), 120), self.logs()

    def _stop(self) -> None:
        for name in ("slurmctld", *NODES, "munged"):
            daemon = self.daemons.get(name)
            if daemon and daemon.poll() is None:
                daemon.kill()
                daemon.wait()
        assert wait_for(lambda: not self._killed("")), "what the cluster started goes on"
        if CONFIGURATION.exists() and CONFIGURATION.read_text().startswith(OURS):
            CONFIGURATION.unlink()
        self._lock.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str, called: str = "") -> None:
        name = called or program
        with (self.folder / f"{name}.log").open("wb") as log:
            self.daemons[name] = subprocess.Popen(
                [program, *arguments],
                env=self.environment | {f"{_MARK}_NODE": name},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _states(self) -> dict[str, str]:
        try:
            lines = self.told("sinfo", "--noheader", "--Node", "--format=%N %t").splitlines()
        except subprocess.CalledProcessError:
            return {}
        return dict(line.split() for line in lines)

    def _killed(self, *ends: str) -> set[int]:
        """Kill and return the processes that this cluster started and whose environment has one of the settings.

        All are stopped before the first is killed, so that none lives to tell of another's death.
        """
        found = set()
        for place in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                settings = (place / "environ").read_bytes().decode(errors="replace").split("\0")
                ours = f"{_MARK}={self.folder}" in settings and int(place.name) != os.getpid()
                if ours and any(setting.endswith(ends) for setting in settings):
                    found |= {int(place.name), *_step_daemon_above(place)}
        for kind in (signal.SIGSTOP, signal.SIGKILL):
            for process in found:
                with suppress(ProcessLookupError):
                    os.kill(process, kind)
        return found

    def _configuration(self) -> str:
        controller, *ports = _free_ports(1 + len(NODES))
        host = socket.gethostname()
        nodes = [
            f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={CORES} RealMemory={MEMORY_MIB}"
            for node, port in zip(NODES, ports, strict=True)
        ]
        settings = {
            "ClusterName": "test",
            "SlurmctldHost": f"{host}(127.0.0.1)",
            "SlurmctldPort": controller,
            "SlurmUser": "root",
            "AuthType": "auth/munge",
            # A requeued job waits until its old credential has run out.
            "AuthInfo": f"socket={self.folder}/munge.socket,cred_expire=10",
            "CommunicationParameters": "NoInAddrAny,NoCtldInAddrAny",
            "StateSaveLocation": f"{self.folder}/state",
            "SlurmdSpoolDir": f"{self.folder}/spool-%n",
            "SlurmctldPidFile": f"{self.folder}/slurmctld.pid",
            "SlurmdPidFile": f"{self.folder}/%n.pid",
            "SlurmdParameters": "config_overrides",
            "SlurmdTimeout": 10,
            "ReturnToService": 2,
            "JobRequeue": 0,  # unless a job asks for it
            "ProctrackType": "proctrack/linuxproc",
            "TaskPlugin": "task/none",
            "TaskProlog": f"{self.folder}/prolog",
            "SelectType": "select/cons_tres",
            "SelectTypeParameters": "CR_Core_Memory",
            "JobAcctGatherType": "jobacct_gather/none",
            "AccountingStorageType": "accounting_storage/none",
            "JobCompType": "jobcomp/filetxt",
            "JobCompLoc": f"{self.folder}/jobs",
            "MpiDefault": "none",
        }
        lines = [f"{name}={value}" for name, value in settings.items()]
        partition = f"PartitionName=all Nodes={','.join(NODES)} Default=YES MaxTime=INFINITE State=UP"
        return "\n".join([OURS, *lines, *nodes, partition]) + "\n"


def _finished(fields: dict[str, str]) -> Finished:
    resources = dict(part.split("=", 1) for part in fields["Tres"].split(",") if "=" in part)
    memory = resources.get("mem", "0M")
    return Finished(
        id=fields["JobId"],
        state=fields["JobState"],
        node=fields["NodeList"],
        cores=int(fields["ProcCnt"]),
        memory_mib=round(float(memory[:-1]) * {"M": 1, "G": 1024}[memory[-1]]),
        started=datetime.fromisoformat(fields["StartTime"]),
        ended=datetime.fromisoformat(fields["EndTime"]),
    )


def _step_daemon_above(place: Path) -> set[int]:
    """The slurmstepd that started a process, which writes its title over its own environment; else nothing."""
    parent = (place / "stat").read_text().rsplit(")", 1)[1].split()[1]
    return {int(parent)} if Path(f"/proc/{parent}/comm").read_text().startswith("slurmstepd") else set()


def _free_ports(count: int) -> list[int]:
    """Ports that nothing listens on just now."""
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in held]
    for one in held:
        one.close()
    return ports
