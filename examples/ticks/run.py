"""The smallest pipeline, from a program: three ticks in, three values out."""

from pathlib import Path

import numpy as np

import byteor

ticks = np.zeros(3, [("price", "f8"), ("size", "i8"), ("value", "f8")])
ticks["price"], ticks["size"] = [1.5, 2.0, 4.0], [10, 20, 30]

with byteor.run(Path(__file__).with_name("plan.toml")) as run:
    run.ingress("in").send(ticks)
    run.ingress("in").close()
    values = []
    for batch in run.egress("out"):
        values += batch["value"].tolist()
print(values)
