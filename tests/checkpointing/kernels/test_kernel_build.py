"""Kernels are compiled once, even if processes start together; without a compiler there is a one-sentence refusal."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch._inductor.config as kernels

from gnn_checkpointing.checkpointing.compilation import require_compiler
from gnn_checkpointing.checkpointing.kernels import build
from gnn_checkpointing.refusal import Unavailable
from waiting import is_gone, wait_for


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    """An empty folder of compiled kernels for this test."""
    monkeypatch.setenv("TORCH_EXTENSIONS_DIR", str(tmp_path / "extensions"))
    forget()
    yield tmp_path
    monkeypatch.undo()
    forget()


def forget():
    for remembered in (build.load, build._compiler, build._machine, build._openmp):
        remembered.cache_clear()


def test_a_second_process_finds_what_the_first_compiled(fresh):
    build.load()
    (library,) = (fresh / "extensions" / "gnn_checkpointing").iterdir()
    made = library.stat().st_mtime_ns
    forget()
    build.load()
    assert library.stat().st_mtime_ns == made and len(list(library.parent.iterdir())) == 1


@pytest.mark.slow
def test_two_processes_may_compile_at_once(fresh):
    call = [sys.executable, "-c", "from gnn_checkpointing.checkpointing.kernels.build import load; load().forward"]
    both = [subprocess.Popen(call) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert len(list((fresh / "extensions" / "gnn_checkpointing").iterdir())) == 1


def test_no_compiler_is_a_sentence(fresh, monkeypatch):
    monkeypatch.setenv("PATH", str(fresh))
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(Unavailable, match=r"needs a C\+\+ compiler .*edge_blocks needs none"):
        build.load()


def compiler_that(folder: Path, script: str) -> str:
    compiler = folder / "c++"
    compiler.write_text(f"#!/bin/sh\n{script}\n")
    compiler.chmod(0o755)
    return str(compiler)


BROKEN = """case "$*" in *--version) exit 0;; esac
echo 'In file included' >&2; echo 'x.cpp:1: error: no such dialect' >&2; exit 1"""


def test_a_compiler_that_fails_is_quoted(fresh, monkeypatch):
    monkeypatch.setenv("CXX", compiler_that(fresh, BROKEN))
    with pytest.raises(Unavailable, match=r"error: no such dialect\); policy edge_blocks"):
        build.load()
    folder = fresh / "extensions" / "gnn_checkpointing"
    assert not list(folder.iterdir()), "nothing half done is left"


def test_other_processors_have_other_libraries(monkeypatch):
    """Machines with different processors may share a home directory."""
    one = build._key("attention", ())
    build._machine.cache_clear()
    monkeypatch.setattr(build, "_processor", lambda: ("x86_64", "flags: sse2"))
    assert build._key("attention", ()) != one
    build._machine.cache_clear()


def test_a_compiler_that_hangs_is_ended_with_its_own_processes(fresh, monkeypatch, tmp_path):
    monkeypatch.setattr(build, "_PATIENCE_SECONDS", 3.0)  # the script must have begun by then
    monkeypatch.setenv("CXX", compiler_that(tmp_path, f"sleep 1000 &\necho $! > {tmp_path}/child\nwait"))
    with pytest.raises(Unavailable, match=r"c\+\+ did not end within 3 s"):
        build.load()
    assert wait_for(lambda: is_gone(int((tmp_path / "child").read_text()))), "the compiler's own process still runs"


@pytest.mark.parametrize(
    ("script", "said"), [("sleep 1000", "did not end"), ("echo 'no licence: error' >&2; exit 1", "no licence")]
)
def test_torchs_compiler_is_quoted_too(script, said, fresh, monkeypatch, tmp_path):
    monkeypatch.setattr(build, "_PATIENCE_SECONDS", 1.0)
    with (
        kernels.patch({"cpp.cxx": (None, compiler_that(tmp_path, script))}),
        pytest.raises(Unavailable, match=f"policy compiled: .*{said}"),
    ):
        require_compiler("cpu")
