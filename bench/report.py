"""What was measured, told: tables on the terminal, JSON, a picture, a page, and a look at the stored ratios.

Rule 1. All of them are made from the same values; nothing is told that JSON does not hold.
Rule 2. The baseline holds ratios and plain goals, and is loose: another machine must not cry wolf.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
RESULTS, BASELINE = HERE / "results.json", HERE / "baseline.json"
PAGE, PICTURE = ROOT / "docs" / "performance.md", ROOT / "docs" / "performance.png"
LOOSE = 0.6  # a figure that falls below this share of the stored one is told

Data = dict[str, Any]


def figure(value: float | None) -> str:
    """A number with three digits that count."""
    if value is None:
        return ""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 1 else f"{value:.2g}"


def table(head: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table; columns after the second stand to the right."""
    sides = [":--" if i < 2 else "--:" for i in range(len(head))]
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, tuple(sides), *lines])


def rows(family: Data) -> str:
    head = ("case", "who", "median", "range", "unit", "CPU ns a message")
    lines = []
    for row in family["rows"]:
        span = f"{figure(row['low'])} – {figure(row['high'])}"
        cells = (figure(row["median"]), span, row["unit"], figure(row["cpu_ns"]))
        lines.append((row["case"], row["contender"], *cells))
    return table(head, lines)


def goals(family: Data) -> str:
    head = ("id", "met", "goal", "measured", "range", "reason")
    words = {True: "yes", False: "**no**", None: "not measured"}
    lines = []
    for goal in family["goals"]:
        span = f"{figure(goal['range'][0])} – {figure(goal['range'][1])}" if goal["range"] else ""
        lines.append((goal["id"], words[goal["met"]], goal["goal"], figure(goal["measured"]), span, goal["reason"]))
    return table(head, lines)


def text(family: Data) -> str:
    """A family for the terminal, and a section of the page."""
    remarks = "".join(f"\n- {remark}" for remark in family["remarks"])
    blocks = [f"## {family['name']}: {family['title']}", family["method"], goals(family), rows(family), remarks.strip()]
    return "\n\n".join(block for block in blocks if block) + "\n"


def machine(data: Data) -> str:
    of = data["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in of["packages"].items())
    pinned = "threads are pinned where there is a core for each" if of["pinned"] else "threads are not pinned"
    return (
        f"{of['cpu']}, {of['cores']} cores, {of['memory_gib']} GiB; {of['system']}; Python {of['python']}; {packages}; "
        f"{pinned}; load {of['load']} at the start; {of['date']}; {data['rounds']} rounds of {data['seconds']} s."
    )


def page(data: Data) -> str:
    """The page of all families."""
    opening = (
        "# Performance\n\nWritten by `python -m dev perf --update`; every figure here comes from one run of it.\n"
        "Contenders take turns, round by round; a figure is the median of its rounds with their range, a ratio is made "
        "round by round. Nothing of what a stage is promised is switched off for it.\n\n"
        f"Machine: {machine(data)}\n\n![What was measured](performance.png)\n"
    )
    return "\n".join([opening, *(text(family) for family in data["families"].values())])


def against_baseline(family: Data) -> list[str]:
    """What has become worse than the stored figures allow."""
    stored = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    return [line for goal in family["goals"] for line in _worse(goal, stored.get(goal["id"]))]


def _worse(goal: Data, before: float | None) -> list[str]:
    now = goal["measured"]
    if not before or not now:
        return []
    share = now / before if goal["goal"].startswith("≥") else before / now
    return [f"{goal['id']}: {figure(now)}, stored is {figure(before)}"] if share < LOOSE else []


def keep(data: Data) -> None:
    """Store results, baseline, page and picture; families that were not measured stay as they were."""
    stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"families": {}}
    merged = {**data, "families": {**stored["families"], **data["families"]}}
    ratios = {goal["id"]: goal["measured"] for family in merged["families"].values() for goal in family["goals"]}
    RESULTS.write_text(json.dumps(merged, indent=1, ensure_ascii=False) + "\n")
    BASELINE.write_text(json.dumps(ratios, indent=1, ensure_ascii=False) + "\n")
    PAGE.write_text(page(merged))
    draw(merged, PICTURE)


def draw(data: Data, picture: Path) -> None:
    """Draw every family: bars of medians with the range of the rounds."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    families = [_drawn(family) for family in data["families"].values()]
    heights = [1 + 0.22 * len(rows) for _, _, rows in families]
    figure, axes = pyplot.subplots(
        len(families), 1, figsize=(10, sum(heights)), height_ratios=heights, layout="constrained", squeeze=False
    )
    for axis, (title, unit, rows) in zip(axes[:, 0], families, strict=True):
        names = [f"{row['case']}: {row['contender']}" for row in rows]
        middle = [row["median"] for row in rows]
        spread = [[row["median"] - row["low"] for row in rows], [row["high"] - row["median"] for row in rows]]
        shades = ["tab:blue" if "byteor" in row["contender"] else "tab:gray" for row in rows]
        axis.barh(names, middle, xerr=spread, color=shades, ecolor="black", capsize=2)
        axis.set(title=title, xlabel=unit)
        axis.tick_params(axis="y", labelsize=7)
        axis.invert_yaxis()
    figure.savefig(picture, dpi=110)
    pyplot.close(figure)


def _drawn(family: Data) -> tuple[str, str, list[Data]]:
    """Title, unit and rows: those of the unit that most rows have."""
    units = [row["unit"] for row in family["rows"]]
    unit = max(units, key=units.count, default="")
    return f"{family['name']}: {family['title']}", unit, [row for row in family["rows"] if row["unit"] == unit]
