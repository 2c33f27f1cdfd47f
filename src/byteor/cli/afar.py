"""The parts of a plant on other hosts, asked by the user's own means: `ssh`, `kubectl exec`, `ip netns exec`.

Rule 1. Nothing of byteor listens for this: the same command runs over there, and what it prints comes back.
Rule 2. All hosts are asked at once; one that does not answer is told as such, and hides none of the others.
"""

from __future__ import annotations

import json
import shlex
import subprocess
from typing import Any

from byteor.cli.host import folder_of_part
from byteor.cli.loading import placed_plant
from byteor.cli.output import Look
from byteor.diag import Refused
from byteor.exec import findings as x
from byteor.place.cut import name_of
from byteor.place.model import Host

LONGEST = 30.0  # seconds to wait for an answer


def asked(place: str, via: str, seconds: float, as_json: bool) -> list[Look]:
    """How each part of a placement stands, as its host says."""
    if not place:
        raise Refused([x.RUN_OPTION.at("via", "there is no placement to take hosts from", help="add `--place FILE`")])
    plant = placed_plant(place)
    runs = [(host, _begun(plant.subject.graph.name, host, via, seconds, as_json)) for host in plant.hosts.host]
    return [_heard(host, run, as_json, seconds) for host, run in runs]


def _begun(plant: str, host: Host, via: str, seconds: float, as_json: bool) -> subprocess.Popen[str]:
    """Begin to ask a host."""
    words = [word.replace("{address}", name_of(host.address)).replace("{name}", host.name) for word in shlex.split(via)]
    words += ["byteor", "status", str(folder_of_part(plant, host)), "--seconds", f"{seconds:g}"]
    return subprocess.Popen(
        [*words, *(["--json"] if as_json else [])],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _heard(host: Host, run: subprocess.Popen[str], as_json: bool, seconds: float) -> Look:
    try:
        out, err = run.communicate(timeout=LONGEST + seconds)
    except subprocess.TimeoutExpired:
        run.kill()
        out, err = run.communicate()
        err = err or f"no answer within {LONGEST + seconds:g} s"
    if run.returncode:
        reason = (err or out).strip().splitlines()[-1:] or [f"status {run.returncode}"]
        return Look(f"{host.name}: {err.strip() or reason[0]}", {"host": host.name, "error": err.strip() or reason[0]})
    data: dict[str, Any] = json.loads(out) if as_json else {}
    return Look(out.rstrip("\n"), data)
