"""What is looked at when a role has run alone: its record, where it stands, what was found.

Rule 1. A judge says what is wrong by an assertion that shows what it found.
"""

from __future__ import annotations

from collections.abc import Callable

from byteor.kernel import commit as c
from byteor.testing.plant_bench import Role
from byteor.testing.roles import Plant

Judge = Callable[[Plant, Role], None]


def holds(found: object, wanted: object) -> None:
    """What was found is what was wanted."""
    assert found == wanted, f"{found} instead of {wanted}"


def counted(**wanted: int) -> Judge:
    """The check of a record's words, by their names."""

    def judge(plant: Plant, role: Role) -> None:
        for name, value in wanted.items():
            found = plant.dropped(role) if name == "DROPPED" else plant.word(role, getattr(c, name))
            assert found == value, f"{name} is {found}"

    return judge


def stands(at: int) -> Judge:
    """The check of where a stage stood last."""

    def judge(plant: Plant, role: Role) -> None:
        assert plant.lab.value(role.stats) == at, f"it stands at {plant.lab.value(role.stats)}"

    return judge
