"""A placed plant under Ray: one actor a host, bound to it, that does nothing but start the host's part and wait.

Rule 1. Ray decides where an actor lives and that it comes back; who runs a part is decided by the lock of its folder.
Rule 2. A part is no child of its actor, and in no session of Ray's: it outlives actor, node and head. The next actor
    waits for it, or starts it anew.
Rule 3. An actor is bound by the custom resource `host:NAME`, never to a node: one that comes back has another number.
Rule 4. The command may be ended and given again: parts go on, and are waited for. Only `--stop` stops them.
Rule 5. No record ever goes through Ray.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from byteor import diag
from byteor.cli import output
from byteor.cli.host import folder_of_part
from byteor.cli.loading import PlacedPlant, examine, placed_plant
from byteor.cli.signals import caught
from byteor.exec import findings as x
from byteor.place import document
from byteor.spec.kv import spec_sha256

SCHEME, AUTO = "ray", "auto"
NAMESPACE = "byteor"
HELD, FAILED = 4, output.FAILED
AGAIN = 1.0  # seconds between two attempts to start a part
TRIES = 30  # attempts in a row of a part that fails
SHARE = 0.001  # of a host's resource: an actor takes no room
LOOK = 0.5  # seconds between two looks at signals
SILENCE = 10.0  # seconds after which the head is asked whether it is there
ANSWER = 30.0  # seconds that an actor has to say that its part has stopped
GRACE = 2.0  # seconds in which another command that waits hears of a stop, before the actors are taken away
OVER = ("done", "drained")
GO_ON = "the parts go on; the same command waits for them again, and `--stop` stops them"
# The part's own parent writes down how it ended. Ray kills the children of an actor that it loses: this is none.
APART = '("$@" 3>&-; echo $? >&3) 3>&1 >&2 &'


@dataclass(frozen=True, slots=True)
class Part:
    """One host's part as its actor is told of it."""

    host: str
    words: tuple[str, ...]
    folder: str


def started(command: Sequence[str]) -> int:
    """Run a command that outlives this process, and wait for it; its exit status, or less than 0 for a death."""
    reading, writing = os.pipe()
    try:
        subprocess.run(["/bin/sh", "-c", APART, "sh", *command], stdout=writing, start_new_session=True, check=True)
    finally:
        os.close(writing)
    with open(reading) as said:
        text = said.read().strip()
    status = int(text) if text else 128 + signal.SIGKILL
    return status if status <= 128 or status in (output.INTERRUPTED, output.TERMINATED) else 128 - status


@dataclass(slots=True)
class Tending:
    """What an actor does for its part: start it until it is over, refused, or to be stopped."""

    start: Callable[[], int]
    holder: Callable[[], int]
    left: Callable[[], str]
    sleep: Callable[[float], object] = time.sleep
    stopping: bool = False

    def run(self) -> int:
        """The exit status that the part ends with; one that another one holds is waited for."""
        failures = 0
        while not self.stopping:
            status = self.start()
            if status == HELD:
                self._wait()
                self.stopping = self.stopping or self.left() == "aborted"
                continue
            failures = failures + 1 if status == FAILED or status < 0 else 0
            if not failures or failures == TRIES:
                return status
            self.sleep(AGAIN)
        self._wait()
        return output.DONE if self.left() in OVER else output.TERMINATED

    def _wait(self) -> None:
        """Wait for the one that holds the part."""
        self.sleep(AGAIN)
        while self.holder():
            self.sleep(AGAIN)

    def stop(self) -> None:
        """Stop the part after its pending piece, whoever runs it."""
        self.stopping = True
        if pid := self.holder():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)


class Keeper:
    """The actor of one host."""

    def __init__(self, words: Sequence[str], folder: str) -> None:
        command = [sys.executable, "-c", "from byteor.cli import main; main()", *words]
        self._tending = Tending(lambda: started(command), lambda: holder_of(folder), lambda: left_in(folder))
        self._task: asyncio.Future[int] | None = None

    async def tend(self) -> int:
        """Start the part, or wait for the one that runs already; the exit status that it ends with."""
        if self._task is None:
            self._task = asyncio.ensure_future(asyncio.to_thread(self._tending.run))
        return await asyncio.shield(self._task)

    async def stop(self) -> int:
        """Stop the part; the exit status that it ends with."""
        self._tending.stop()
        return await self.tend()


def holder_of(folder: str) -> int:
    """The process that has a part; 0 for none."""
    from byteor.plant import directory

    try:
        seen = directory.look(folder)
    except diag.Refused:
        return 0
    return seen.pid if seen.live else 0


def left_in(folder: str) -> str:
    """The status that a part was left with; none, where it was killed."""
    from byteor.plant import ending

    return ending.read(Path(folder)).status


def run_on(on: str, where: str, place: str, stop: bool = False) -> dict[str, int]:
    """Let a cluster run all parts of a placed plant, or stop them; the exit status of each, once all have ended."""
    plant = placed_plant(place)
    _judge(plant, where)
    with contextlib.redirect_stdout(sys.stderr):  # what Ray has to say of its nodes is no part of an answer
        ray = _connected(on)
        try:
            keepers = {part.host: _keeper(ray, plant, part) for part in parts_of(plant, place)}
            statuses = _stopped(ray, keepers) if stop else _tended(ray, keepers, _head_of(ray, on))
            if output.TERMINATED in statuses.values():
                time.sleep(GRACE)
            for host in statuses:
                ray.kill(keepers[host])
            return statuses
        except ConnectionError as e:
            raise output.Failed(f"the cluster is gone: {output.reason(e)}; {GO_ON}") from e
        finally:
            ray.shutdown()


def _tended(ray: Any, keepers: Mapping[str, Any], head: str) -> dict[str, int]:
    """Wait for the ends of all parts; a signal leaves them alone."""
    waiting = {keeper.tend.remote(): host for host, keeper in keepers.items()}
    statuses: dict[str, int] = {}
    due, cluster, told = time.monotonic() + SILENCE, _cluster_at(head), False
    with caught(lambda count: None) as signals:
        while waiting:
            ready, _ = ray.wait(list(waiting), num_returns=1, timeout=LOOK)
            for one in ready:
                host = waiting.pop(one)
                statuses[host] = _status(ray, host, one)
            if signals.first:
                _tell(f"left: {GO_ON}")
                raise typer.Exit(output.TERMINATED if signals.first == signal.SIGTERM else output.INTERRUPTED)
            if time.monotonic() >= due:
                due = time.monotonic() + SILENCE
                told = _missed(head, cluster, told)
    return statuses


def _stopped(ray: Any, keepers: Mapping[str, Any]) -> dict[str, int]:
    """Stop all parts; those that do not answer are told."""
    waiting = {keeper.stop.remote(): host for host, keeper in keepers.items()}
    ready, silent = ray.wait(list(waiting), num_returns=len(waiting), timeout=ANSWER)
    for one in silent:
        _tell(f"{waiting[one]}: no answer within {ANSWER:g} s; SIGTERM stops its `byteor host` over there")
    return {waiting[one]: _status(ray, waiting[one], one) for one in ready} | {waiting[one]: FAILED for one in silent}


def _status(ray: Any, host: str, one: Any) -> int:
    """What an actor has said, or that it was taken away."""
    try:
        return int(ray.get(one))
    except ray.exceptions.RayError as e:
        _tell(f"{host}: its actor is gone: {str(e).partition(chr(10))[0]}")
        return FAILED


def _head_of(ray: Any, on: str) -> str:
    """The address of the head, for whom is connected to it without a server in between."""
    return str(ray.get_runtime_context().gcs_address) if on == f"{SCHEME}://{AUTO}" else ""


def _cluster_at(head: str) -> str:
    """Which cluster a head is of; nothing where it does not answer, or nobody knows its address."""
    from ray._raylet import GcsClient  # the public interface would ask the old head for ever

    host, _, port = head.rpartition(":")
    try:
        if head:
            socket.create_connection((host, int(port)), SILENCE).close()  # the client itself would wait for long
            return str(GcsClient(address=head).cluster_id.hex())
    except (OSError, RuntimeError):
        pass
    return ""


def _missed(head: str, known: str, told: bool) -> bool:
    """Tell once that a head is silent, for Ray ends this command after a minute; end it where another head came."""
    now = _cluster_at(head)
    if known and now and now != known:
        raise output.Failed(f"another head is at {head}, which knows nothing of this command: {GO_ON}")
    if known and not now and not told:
        _tell(f"the head of the cluster does not answer at {head}: {GO_ON}")
    return told or not now


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


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
        ray.init(address=AUTO if address == AUTO else on, namespace=NAMESPACE, log_to_driver=False)
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
        words = ("host", "--name", host.name, "--place", path, "--resume", folder, "--log", "json")
        found.append(Part(host.name, words, folder))
    return found


def resource_of(host: str) -> str:
    """The custom resource that a host's node has: `ray start --resources='{"host:NAME": 1}'`."""
    return f"host:{host}"


def _keeper(ray: Any, plant: PlacedPlant, part: Part) -> Any:
    """The actor of a host; one that is there already is taken."""
    generation = document.generation_of(spec_sha256(plant.seen.spec), plant.hosts)
    options: Mapping[str, Any] = {
        "name": f"{plant.subject.graph.name}-{part.host}-{generation:016x}",
        "lifetime": "detached",
        "get_if_exists": True,
        "max_restarts": -1,
        "max_task_retries": -1,
        "num_cpus": 0,
        "resources": {resource_of(part.host): SHARE},
    }
    return ray.remote(Keeper).options(**options).remote(list(part.words), part.folder)
