"""Run the flights from end to end, draw the result, and measure the ring alone.

Rule 1. What runs is what `byteor run` runs: the same plan, the same code.
Rule 2. Everything is written below `build/`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib
import numpy as np
import pyarrow.parquet as pq

from byteor.cli.asked import Asked
from byteor.cli.carry import carry_out
from byteor.cli.report import show

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent.parent / "build" / "flights"
REPEAT = 10

sys.path.insert(0, str(HERE))


def main() -> int:
    """Run, draw, and measure; answer with the exit status."""
    from data import unpack

    flights = str(unpack(BUILD))
    table, picture, plan = BUILD / "delays.parquet", BUILD / "delays.png", str(HERE / "plan.toml")
    print("bringing up (the first time compiles for about half a minute)", file=sys.stderr)
    whole = carry_out(plan, Asked(inputs=(flights,), outputs=(str(table),)))
    show(whole)
    if whole.exit:
        return whole.exit
    draw(table, picture)
    ring = carry_out(plan, Asked(inputs=(flights,), repeat=REPEAT))
    print(f"\nstatistics  {table}\npicture     {picture}")
    print(f"end to end  {whole.report.rate_per_s:,.0f} rows/s: CSV in, {len(whole.report.stages)} stages, Parquet out")
    print(f"ring alone  {ring.report.rate_per_s:,.0f} rows/s: the same records from memory, {REPEAT} times")
    return ring.exit


def draw(table: Path, picture: Path) -> None:
    """Draw the mean arrival delay, and the share of late flights, per carrier and month."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    columns = pq.read_table(table).to_pydict()
    carriers = sorted(set(columns["carrier"]))
    figure, axes = pyplot.subplots(1, 2, figsize=(13, 6), sharey=True, layout="constrained")
    panels = (
        ("arr_delay_mean", "mean arrival delay, minutes", 60.0),
        ("late_share", "share more than 15 min late", 0.6),
    )
    for axis, (name, title, top) in zip(axes, panels, strict=True):
        shades = np.full((len(carriers), 12), np.nan)
        for carrier, month, value in zip(columns["carrier"], columns["month"], columns[name], strict=True):
            shades[carriers.index(carrier), month - 1] = np.nan if value is None else value
        low = -top if name == "arr_delay_mean" else 0.0
        shown = axis.imshow(shades, aspect="auto", cmap="RdYlBu_r", vmin=low, vmax=top)
        axis.set_title(title)
        axis.set_xticks(range(12), [str(month) for month in range(1, 13)])
        axis.set_yticks(range(len(carriers)), carriers)
        axis.set_xlabel("month of 2013")
        figure.colorbar(shown, ax=axis)
    figure.suptitle("Flights from New York by carrier")
    figure.savefig(picture, dpi=110)
    pyplot.close(figure)


if __name__ == "__main__":
    sys.exit(main())
