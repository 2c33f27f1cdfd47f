"""`byteor why-slow`: which role or lane holds a plant back, in one sentence.

Rule 1. It is told from many short looks; the plant does nothing for it.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from byteor.cli import output
from byteor.cli.output import Json
from byteor.cli.status import Plant, measured


def why_slow(
    plant: Plant,
    seconds: Annotated[float, typer.Option(min=0.1, help="How long to look.")] = 2.0,
    as_json: Json = False,
) -> None:
    """Say what holds a plant back, and by what evidence."""
    from byteor.observe import data
    from byteor.observe.why import judge
    from byteor.observe.window import Window, find

    with output.told(as_json):
        window = Window(find(plant))
        motion = measured(window, seconds)
        verdict = judge(window, motion)
    if as_json:
        return output.put_json({"verdict": asdict(verdict), **data.of_plant(window, motion)})
    print(verdict.sentence)
