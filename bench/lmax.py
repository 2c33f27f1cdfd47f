"""The peer: the LMAX Disruptor under our own driver, a JVM for each case.

Rule 1. A case has a JVM of its own: the compiler then sees one class at each call.
Rule 2. Its handlers spin when idle, so between its rounds the process is stopped: it takes no core from others.
Rule 3. What is missing is told as a sentence, and the family goes on without the peer.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench import machine
from bench.driven import Driven
from bench.harness import Contender, Took

HERE = Path(__file__).resolve().parent
CLASSES = HERE.parent / "build" / "bench" / "java"
JARS = (Path("/usr/share/java/disruptor-3.4.4.jar"), Path("/usr/share/java/disruptor.jar"))
WAITS = ("yield", "spin")
LEAST = 200_000  # messages of the shortest round


def missing() -> str:
    """Say what keeps the peer from running here; nothing when it can."""
    if jar() is None:
        return "LMAX Disruptor is not installed (Debian: apt-get install libdisruptor-java)"
    if not shutil.which("java") or not shutil.which("javac"):
        return "there is no JDK (Debian: apt-get install default-jdk-headless)"
    return ""


def jar() -> Path | None:
    """The Disruptor's jar: the one that BYTEOR_BENCH_DISRUPTOR names, else Debian's."""
    asked = os.environ.get("BYTEOR_BENCH_DISRUPTOR")
    places = (Path(asked),) if asked else JARS
    return next((path for path in places if path.exists()), None)


def build() -> str:
    """Compile the driver; answer the class path."""
    CLASSES.mkdir(parents=True, exist_ok=True)
    subprocess.run(["javac", "-cp", str(jar()), "-d", str(CLASSES), str(HERE / "java" / "Lmax.java")], check=True)
    return f"{jar()}{os.pathsep}{CLASSES}"


class Jvm(Driven):
    """One running driver."""

    def __init__(self, classes: str, shape: str, run: int, wait: str, capacity: int) -> None:
        command = ["java", "-Xms512m", "-Xmx512m", "-XX:+UseParallelGC", "-cp", classes, "Lmax"]
        super().__init__(f"LMAX {wait}", [*command, shape, str(run), wait, str(capacity)])
        self.answer()
        self.pinned = machine.pin(reversed(machine.threads_of(self.process.pid, "ring-")))
        self._run = run
        self.process.send_signal(signal.SIGSTOP)

    def ask(self, question: object) -> str:
        """Let it run for one answer."""
        self.process.send_signal(signal.SIGCONT)
        answer = super().ask(question)
        self.process.send_signal(signal.SIGSTOP)
        return answer

    def round(self, n: int) -> Took:
        """Let `n` messages through."""
        before = machine.cpu_of(self.process.pid)
        seconds = int(self.ask(n)) / 1e9
        return Took(seconds, machine.cpu_of(self.process.pid) - before)

    def trips(self, n: int) -> tuple[float, float]:
        """Let `n` messages there and back, one after the other; answer the median and p99 in nanoseconds."""
        middle, rare = self.numbers(n)
        return middle, rare

    def contender(self, step: int = 1) -> Contender:
        return Contender(self.name, self.round, self._run * step, LEAST // self._run)


@contextmanager
def running(classes: str, shape: str, run: int, capacity: int, step: int = 1) -> Iterator[list[Contender]]:
    """The peer with each of its wait strategies, running; none when there is no class path."""
    with ExitStack() as stack:
        jvms = [Jvm(classes, shape, run, wait, capacity) for wait in WAITS] if classes else []
        for jvm in jvms:
            stack.callback(jvm.close)
        yield [jvm.contender(step) for jvm in jvms]
