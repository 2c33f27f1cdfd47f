"""Plants for tests that kill: random graphs over raw files, with what the naive interpreter says of their outputs.

Rule 1. What is expected comes from the interpreter, which shares no code with the executor.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from byteor.exec.resolve import resolve
from byteor.plant.logs import audits
from byteor.plant.processes import Wanted
from byteor.spec.placement import Placement
from byteor.testing.plant_runs import Plant
from tests.plants import dags, oracle


def subject(made: dags.Dag, folder: Path, **options: Any) -> Plant:
    """A plant over files in `folder`: inputs are written, outputs are expected beside them."""
    (folder / "in").mkdir(parents=True)
    (folder / "out").mkdir()
    graph = made.graph
    inputs = {name: str(folder / "in" / f"{name}.raw") for name in made.rows}
    for name, place in inputs.items():
        Path(place).write_bytes(made.rows[name].tobytes())
    outputs = {at.egress.name: str(folder / "out" / f"{at.egress.name}.raw") for at in graph.egresses}
    outputs |= {name: str(folder / "out" / f"{name}.log") for name in audits(graph)}
    answer = oracle.expected(graph, made.stages, made.rows)
    expected = {name: np.ascontiguousarray(rows).tobytes() for name, rows in answer.egresses.items()}
    codes, found = resolve(graph, dags.FOLDER)
    assert not found, found
    wanted = Wanted(graph, Placement(graph.name, "none", ()), dags.FOLDER, codes, inputs, outputs, options)
    return Plant(f"dag {made.seed}", wanted, expected)
