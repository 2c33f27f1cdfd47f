"""A peer in a process of its own, driven line by line: a question goes in, a line of numbers comes back.

Rule 1. A process that ends without an answer is an error, never a figure.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence


class Driven:
    """One running peer."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, question: object) -> str:
        """Ask, and wait for the answer."""
        assert self.process.stdin is not None
        print(question, file=self.process.stdin, flush=True)
        return self.answer()

    def answer(self) -> str:
        """The next line."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with {self.process.wait()}")
        return line

    def numbers(self, question: object) -> list[float]:
        """The numbers of an answer."""
        return [float(word) for word in self.ask(question).split()]

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()

    def __enter__(self) -> Driven:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
