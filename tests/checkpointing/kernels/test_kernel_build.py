"""Kernels are compiled once, by processes that may start together, and a machine without a compiler gets a sentence."""

import subprocess
import sys
from pathlib import Path

import pytest

from gnn_checkpointing.checkpointing.kernels import build
from gnn_checkpointing.refusal import Unavailable


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    """Nothing compiled yet, in a folder of this test."""
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


def test_two_processes_may_compile_at_once(fresh):
    call = [sys.executable, "-c", "from gnn_checkpointing.checkpointing.kernels import load; load().forward"]
    both = [subprocess.Popen(call) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert len(list((fresh / "extensions" / "gnn_checkpointing").iterdir())) == 1


def test_no_compiler_is_a_sentence(fresh, monkeypatch):
    monkeypatch.setenv("PATH", str(fresh))
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(Unavailable, match=r"needs a C\+\+ compiler .*edge_blocks needs none"):
        build.load()


def test_a_compiler_that_fails_is_quoted(fresh, monkeypatch):
    monkeypatch.setenv("CXX", str(broken(fresh)))
    with pytest.raises(Unavailable, match=r"error: no such dialect\); policy edge_blocks"):
        build.load()
    folder = fresh / "extensions" / "gnn_checkpointing"
    assert not list(folder.iterdir()), "nothing half done is left"


def broken(folder: Path) -> Path:
    compiler = folder / "c++"
    compiler.write_text("#!/bin/sh\necho 'In file included' >&2\necho 'x.cpp:1: error: no such dialect' >&2\nexit 1\n")
    compiler.chmod(0o755)
    return compiler


def test_other_processors_have_other_libraries(monkeypatch):
    """A home directory may be shared by machines."""
    one = build._key("attention", ())
    build._machine.cache_clear()
    monkeypatch.setattr(build, "_processor", lambda: ("x86_64", "flags: sse2"))
    assert build._key("attention", ()) != one
    build._machine.cache_clear()
