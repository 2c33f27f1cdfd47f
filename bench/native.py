"""The peers in C++: Boost's queue, one core's copy, a bare ping-pong; built with the system's compiler.

Rule 1. What is missing is told as a sentence, and the family goes on without the peer.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from bench import machine
from bench.driven import Driven
from bench.harness import Contender, Took

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "native" / "peers.cpp"
BINARY = HERE.parent / "build" / "bench" / "peers"
COMPILERS = ("c++", "g++", "clang++")


def missing() -> str:
    """Say what keeps the peers from being built here; nothing when they can."""
    if not any(shutil.which(name) for name in COMPILERS):
        return "there is no C++ compiler (Debian: apt-get install g++)"
    if len(machine.ALL) < 2:
        return "the peers need two cores"
    tried = subprocess.run(_command("-fsyntax-only"), capture_output=True, text=True)
    if tried.returncode:
        return "Boost.Lockfree is not installed (Debian: apt-get install libboost-dev)"
    return ""


def build() -> None:
    """Compile the peers."""
    BINARY.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(_command("-o", str(BINARY)), check=True)


def _command(*more: str) -> list[str]:
    compiler = next(name for name in COMPILERS if shutil.which(name))
    return [compiler, "-std=c++17", "-O3", "-march=native", "-pthread", str(SOURCE), *more]


def driven(name: str, case: str, run: int, capacity: int) -> Driven:
    """One running peer, on two cores."""
    first, second = machine.ALL[:2]
    return Driven(name, [str(BINARY), case, str(run), str(capacity), str(first), str(second)])


def contender(peer: Driven, run: int, least: int) -> Contender:
    """A peer that answers nanoseconds, and those of CPU."""

    def one(n: int) -> Took:
        seconds, cpu = peer.numbers(n)
        return Took(seconds / 1e9, cpu / 1e9)

    return Contender(peer.name, one, run, max(1, least // run))
