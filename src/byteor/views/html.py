"""What a run shows of itself in a notebook: a line, a small table, its graph.

Rule 1. Every text is escaped; nothing is fetched, and nothing runs.
Rule 2. Numbers are what they were when it was shown: a cell is a picture, not a window.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from byteor.plan import model as plans
from byteor.spec.lane_graph import LaneGraph
from byteor.spec.model import SingleRing
from byteor.views.graph import graph_of
from byteor.views.svg import svg

_CELL = "padding:1px 10px 1px 0"


def run_html(
    document: SingleRing | LaneGraph | plans.Plan, head: str, names: Sequence[str], rows: Sequence[Sequence[object]]
) -> str:
    """A run as a piece of HTML: `names` are those of the columns, the first one is a part's name."""
    drawn = svg(graph_of(document)).replace("<svg ", '<svg style="max-width:100%;height:auto" ', 1)
    return (
        f'<div class="byteor-run"><p><b>{escape(document.name)}</b> {escape(head)}</p>'
        f'{_table(names, rows)}<details open="open"><summary>graph</summary>{drawn}</details></div>'
    )


def _table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    head = "".join(f'<th style="{_CELL};{_side(k)}">{escape(name)}</th>' for k, name in enumerate(names))
    body = "".join(f"<tr>{''.join(_cell(k, value) for k, value in enumerate(row))}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(k: int, value: object) -> str:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return f'<td style="{_CELL};{_side(k)}">{escape(text)}</td>'


def _side(k: int) -> str:
    return f"text-align:{'right' if k else 'left'}"
