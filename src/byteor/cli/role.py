"""`byteor role`: one role of a plant, by hand, in this terminal.

Rule 1. It works in the same folder as every other role, and wins the role's lock first: nobody runs twice.
Rule 2. It ends when its supervisor does, unless it is alone: then it never looks.
Rule 3. Statuses: 0 done, 1 failed, 2 findings, 4 locked by another, 5 region lost, 130 and 143 told to end.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from byteor.cli import output
from byteor.cli.status import Plant

WAIT = 30.0
SIGNALLED = 128  # the status of whom a signal ended, as shells count


def role(
    plant: Plant,
    name: Annotated[str, typer.Option("--name", help="The role, by the name that `byteor status` lists.")],
    alone: Annotated[bool, typer.Option("--alone", help="Need no supervisor, and look for none.")] = False,
    wait: Annotated[float, typer.Option(min=0.0, help="Seconds to wait for a supervisor.")] = WAIT,
) -> None:
    """Run one role of a plant by hand. Ctrl-C lets an ingress drain; once more stops any role."""
    with output.told(False):
        status = _run(plant, name, alone, wait)
    raise typer.Exit(status)


def _run(plant: str, name: str, alone: bool, wait: float) -> int:
    """Take the role up, and say how it ended."""
    from byteor.observe.window import find
    from byteor.plant import directory, watch
    from byteor.plant.body import Members

    where = find(plant)
    manifest = directory.look(where).manifest
    lock = where / directory.LOCK
    if not alone:
        watch.await_supervisor(lock, wait)
    with Members(where, manifest, (name,)) as members:
        status = members.live(None if alone else lock)
        if status:
            print(f"error: {members.failure}", file=sys.stderr)
            return output.FAILED
        done = all(runner.done for runner in members.runners)
    if members.why == watch.LOST:
        raise output.Failed("the supervisor is gone; the role stopped after its last commit")
    if not done and members.why == watch.LEFT:
        raise output.Failed("the role did not come back; what it had not committed is undone")
    print(f"{name}: {'done' if done else 'stopped'}")
    return SIGNALLED + members.signal if members.signal else output.DONE
