"""A placed plant under Ray: one actor a host, bound to it, that does nothing but start the host's part and wait.

Rule 1. Ray decides where an actor lives and that it comes back; who runs a part is decided by the lock of its folder.
Rule 2. A part runs in a session of its own: it outlives its actor, and the next one waits for it, or starts it anew.
Rule 3. An actor is bound by the custom resource `host:NAME`, never to a node: one that comes back has another number.
Rule 4. No record ever goes through Ray.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from byteor import diag
from byteor.cli import output
from byteor.cli.host import folder_of_part
from byteor.cli.loading import PlacedPlant, examine, placed_plant
from byteor.exec import findings as x
from byteor.place import document
from byteor.spec.kv import spec_sha256

SCHEME = "ray"
NAMESPACE = "byteor"
HELD, FAILED = 4, output.FAILED
AGAIN = 1.0  # seconds between two attempts to start a part
TRIES = 30  # attempts in a row of a part that fails
SHARE = 0.001  # of a host's resource: an actor takes no room


@dataclass(frozen=True, slots=True)
class Part:
    """One host's part as its actor is told of it."""

    host: str
    words: tuple[str, ...]


class Keeper:
    """The actor of one host."""

    def tend(self, words: Sequence[str]) -> int:
        """Start the part, or wait for the one that runs already; the exit status that it ends with."""
        command = [sys.executable, "-c", "from byteor.cli import main; main()", *words]
        return tended(lambda: subprocess.run(command, start_new_session=True, check=False).returncode)


def tended(start: Callable[[], int], sleep: Callable[[float], object] = time.sleep) -> int:
    """Start a part until it is over, or refused; one that is held by another is waited for."""
    failures = 0
    while True:
        status = start()
        failures = failures + 1 if status == FAILED or status < 0 else 0
        if (status != HELD and not failures) or failures == TRIES:
            return status
        sleep(AGAIN)


def run_on(on: str, where: str, place: str) -> dict[str, int]:
    """Let a cluster run all parts of a placed plant; the exit status of each host's, once all have ended."""
    plant = placed_plant(place)
    _judge(plant, where)
    with contextlib.redirect_stdout(sys.stderr):  # what Ray has to say of its nodes is no part of an answer
        return _tended_on(_connected(on), plant, place)


def _tended_on(ray: Any, plant: PlacedPlant, place: str) -> dict[str, int]:
    parts = parts_of(plant, place)
    keepers = {part.host: _keeper(ray, plant, part.host) for part in parts}
    waiting = {keepers[part.host].tend.remote(list(part.words)): part.host for part in parts}
    statuses: dict[str, int] = {}
    while waiting:
        ready, _ = ray.wait(list(waiting), num_returns=1)
        for one in ready:
            statuses[waiting.pop(one)] = int(ray.get(one))
    for keeper in keepers.values():
        ray.kill(keeper)
    return statuses


def _connected(on: str) -> Any:
    """The module of Ray, connected to the cluster at an address."""
    scheme, _, address = on.partition("://")
    if scheme != SCHEME or not address:
        help = "write `ray://HOST:PORT`, or `ray://auto` on a machine of the cluster"
        raise diag.Refused([x.RUN_OPTION.at("on", f"`{on}` is no address of a cluster", help=help)])
    try:
        import ray
    except ModuleNotFoundError as e:
        raise output.Failed("running on Ray needs it: pip install 'byteor[ray]'") from e
    try:
        ray.init(address="auto" if address == "auto" else on, namespace=NAMESPACE, log_to_driver=False)
    except (ConnectionError, RuntimeError) as e:
        raise output.Failed(f"no cluster answers at {on}: {output.reason(e)}") from e
    return ray


def _judge(plant: PlacedPlant, where: str) -> None:
    """Refuse a plan that is not the placement's."""
    spec = examine(where).usable()
    if spec_sha256(spec) != spec_sha256(plant.seen.spec):
        help = f"name `{plant.seen.source.name}`, or let the placement name this one"
        raise diag.Refused([x.RUN_OPTION.at("place", f"the placement is of another plan than `{where}`", help=help)])


def parts_of(plant: PlacedPlant, place: str) -> list[Part]:
    """What each host's actor starts; the documents are at the same place on all of them."""
    path = str(Path(place).absolute())
    found = []
    for host in plant.hosts.host:
        folder = str(folder_of_part(plant.subject.graph.name, host))
        found.append(
            Part(host.name, ("host", "--name", host.name, "--place", path, "--resume", folder, "--log", "json"))
        )
    return found


def resource_of(host: str) -> str:
    """The custom resource that a host's node has: `ray start --resources='{"host:NAME": 1}'`."""
    return f"host:{host}"


def _keeper(ray: Any, plant: PlacedPlant, host: str) -> Any:
    """The actor of a host; one that is there already is taken."""
    generation = document.generation_of(spec_sha256(plant.seen.spec), plant.hosts)
    options: Mapping[str, Any] = {
        "name": f"{plant.subject.graph.name}-{host}-{generation:016x}",
        "lifetime": "detached",
        "get_if_exists": True,
        "max_restarts": -1,
        "max_task_retries": -1,
        "max_concurrency": 4,
        "num_cpus": 0,
        "resources": {resource_of(host): SHARE},
    }
    return ray.remote(Keeper).options(**options).remote()
