"""Bodies of roles for tests: they wait, die, refuse and speak as they are told, and do no work."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from byteor.diag import Refused
from byteor.plant import findings, watch
from byteor.plant.channel import DONE, FAILED, READY, STOP, Teller


def quick(teller: Teller, argument: dict[str, Any]) -> int:
    """Be ready, print, and be done."""
    teller.tell(READY)
    print(argument.get("text", "hello"))
    teller.tell(DONE, counters={"in": 3})
    return 0


def waits(teller: Teller, argument: dict[str, Any]) -> int:
    """Wait for `drain` or `stop`, and say which came; `stubborn` hears none of it."""
    heard: list[str] = []
    lock = Path(argument["lock"]) if "lock" in argument else None
    with watch.Watch(teller, lock, heard.append) as watching:

        def order(what: str) -> None:
            heard.append(what)
            if what != "open" and not argument.get("stubborn"):
                watching.over()

        watching._on_order = order
        teller.tell(READY)
        why = watching.wait()
    if "note" in argument:
        Path(argument["note"]).write_text(f"{why} {' '.join(heard)}")
    teller.tell("stopped" if STOP in heard else DONE, heard=heard, why=why)
    return 0


def reads(teller: Teller, argument: dict[str, Any]) -> int:
    """Be ready, wait for a byte in a pipe, and tell which orders came."""
    teller.tell(READY)
    with open(argument["path"], "rb", buffering=0) as pipe:
        pipe.read(1)
    teller.tell(DONE, heard=list(teller.orders() or ()))
    return 0


def dies(teller: Teller, argument: dict[str, Any]) -> int:
    """Die by a signal, `times` times, before or after being ready; then be quick."""
    attempts = Path(argument["attempts"])
    with open(attempts, "a") as file:
        file.write("x")
    if argument.get("ready"):
        teller.tell(READY)
    if len(attempts.read_text()) <= argument["times"]:
        os.kill(os.getpid(), argument.get("signal", signal.SIGKILL))
    return quick(teller, {"text": f"attempt {len(attempts.read_text())}"})


def refuses(teller: Teller, argument: dict[str, Any]) -> int:
    raise Refused([findings.TAKEN.at(argument["path"], "it is not empty")])


def raises(teller: Teller, argument: dict[str, Any]) -> int:
    teller.tell(READY)
    raise RuntimeError("no such luck")


def fails(teller: Teller, argument: dict[str, Any]) -> int:
    """Say how it failed, as a role does whose stage raised."""
    teller.tell(READY)
    teller.tell(FAILED, "division by zero", stage="model", sequence=7)
    return 1


def looks(teller: Teller, argument: dict[str, Any]) -> int:
    """Tell what a child finds itself with."""
    teller.tell(
        DONE,
        descriptors=sorted(int(fd) for fd in os.listdir("/proc/self/fd") if Path(f"/proc/self/fd/{fd}").exists()),
        threads=threading.active_count(),
        ignored=[signal.getsignal(n) == signal.SIG_IGN for n in (signal.SIGINT, signal.SIGTERM)],
        pools=os.environ["OPENBLAS_NUM_THREADS"],
        loaded=sorted({"numba", "numpy", "pyarrow"} & set(sys.modules)),
        argument=argument,
    )
    return int(argument["status"])
