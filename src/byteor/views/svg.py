"""A graph as SVG: layered, deterministic, light and dark, and the same in a terminal's file, a page and the docs.

Rule 1. Text from a document is escaped, and shortened only where it would leave its box; its title says it whole.
Rule 2. Colours are custom properties with a light and a dark set; a page may set its own.
Rule 3. Each node and edge carries its key as `data-path`.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import pairwise

from byteor.views.graph import Graph, Node
from byteor.views.layout import Layout, Route, lay_out
from byteor.views.texts import clean

NAME, NOTE = 8.0, 6.3  # widths of a letter: those of the widest usual fonts, so that no text leaves its box
ROW, PAD, LONGEST = 16, 14, 34
MARGIN, BETWEEN = 20, 64
ROUND = {"lane": 26, "ingress": 18, "egress": 18}

STYLE = """
.byteor{--paper:#fff;--box:#f7f8fa;--line:#8a94a3;--text:#1b2330;--note:#5a6472;
--stage:#2f6fde;--port:#1d8a5f;--lane:#8a94a3;--role:#b3600b}
@media (prefers-color-scheme:dark){.byteor{--paper:#14181f;--box:#1e242e;--line:#76808f;--text:#e8ecf2;--note:#a3adba;
--stage:#6ea2ff;--port:#4cc492;--lane:#76808f;--role:#f0a04b}}
.byteor .paper{fill:var(--paper)}
.byteor .box{fill:var(--box);stroke:var(--colour);stroke-width:1.5}
.byteor .name{font:600 13px ui-sans-serif,system-ui,sans-serif;fill:var(--text)}
.byteor .note{font:11px ui-sans-serif,system-ui,sans-serif;fill:var(--note)}
.byteor .kind{font:600 9px ui-sans-serif,system-ui,sans-serif;letter-spacing:.08em;fill:var(--colour)}
.byteor .edge{fill:none;stroke:var(--line);stroke-width:1.5}
.byteor .tip{fill:var(--line)}
.byteor .label{font:11px ui-sans-serif,system-ui,sans-serif;fill:var(--note)}
.byteor .stage{--colour:var(--stage)}
.byteor .ingress,.byteor .egress{--colour:var(--port)}
.byteor .lane{--colour:var(--lane)}
.byteor .bridge,.byteor .router,.byteor .merge{--colour:var(--role)}
""".strip()


@dataclass(frozen=True, slots=True)
class _Box:
    """A node's rectangle."""

    x: float
    y: float
    width: float
    height: float


def svg(graph: Graph, top_down: bool = False) -> str:
    """Draw a graph, from left to right or from the top down."""
    drawing = _Drawing(graph, top_down)
    title = escape(clean(f"{graph.name}, {graph.shape}"))
    width, height = drawing.size
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="byteor" role="img" width="{width}" height="{height}"'
            f' viewBox="0 0 {width} {height}">',
            f"<title>{title}</title>",
            f"<style>{STYLE}</style>",
            f'<rect class="paper" width="{width}" height="{height}"/>',
            *drawing.edges(),
            *(_node(node, drawing.boxes[node.path]) for node in graph.nodes),
            "</svg>",
            "",
        ]
    )


def _extent(node: Node) -> tuple[float, float]:
    """A box's width and height: those of its texts."""
    texts = [len(_short(node.name)) * NAME, *(len(_short(note)) * NOTE for note in node.notes)]
    return round(max([64.0, *texts]) + 2 * PAD), 2 * PAD + 4 + ROW * (len(node.notes) + 1) + 4


def _short(text: str) -> str:
    text = clean(text)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


class _Drawing:
    """The boxes of all nodes, and the ways between them."""

    def __init__(self, graph: Graph, top_down: bool) -> None:
        self._down = top_down
        extents = {node.path: _extent(node) for node in graph.nodes}
        side = 0 if top_down else 1
        self._layout = lay_out(graph, {path: extent[side] for path, extent in extents.items()})
        self.boxes: dict[str, _Box] = {}
        self._along: dict[str, tuple[float, float]] = {}
        end = self._place(self._layout, extents)
        reach = max((self._across(path) + extents[path][side] / 2 for path in extents), default=0.0)
        reach = max([reach, *self._layout.across.values()]) + MARGIN
        self.size = (round(reach), round(end)) if top_down else (round(end), round(reach))

    def _across(self, spot: str) -> float:
        return self._layout.across[spot] + MARGIN

    def _place(self, layout: Layout, extents: dict[str, tuple[float, float]]) -> float:
        """Give every layer its stretch of the way; answer where the last one ends."""
        at = float(MARGIN)
        labels = [_label_width(route.edge.label) for route in layout.routes if route.edge.label]
        gap = BETWEEN - 14 if self._down else max([BETWEEN, *(24 + wide for wide in labels)])
        for layer in layout.layers:
            depth = max(extents[spot][1 if self._down else 0] for spot in layer if spot in extents)
            for spot in layer:
                self._along[spot] = (at, at + depth)
                if spot in extents:
                    self.boxes[spot] = self._box(spot, at + depth / 2, extents[spot])
            at += depth + gap
        return at - gap + MARGIN if layout.layers else 2.0 * MARGIN

    def _box(self, spot: str, along: float, extent: tuple[float, float]) -> _Box:
        across = self._across(spot)
        x, y = (across, along) if self._down else (along, across)
        return _Box(round(x - extent[0] / 2), round(y - extent[1] / 2), *extent)

    def edges(self) -> list[str]:
        return [self._edge(route) for route in self._layout.routes]

    def _edge(self, route: Route) -> str:
        """Draw one way: a curve from layer to layer, straight through the layers between, and a tip."""
        points = [self._leaves(self.boxes[route.edge.source]), *self._through(route)]
        x, y = self._enters(self.boxes[route.edge.target])
        back = (x, y - 7) if self._down else (x - 7, y)
        points.append(back)
        tip = f"M{x:g},{y:g}l-4,-8h8z" if self._down else f"M{x:g},{y:g}l-8,-4v8z"
        path = f' data-path="{escape(route.edge.path)}"' if route.edge.path else ""
        drawn = f'<path class="edge" d="{self._curve(points)}"/><path class="tip" d="{tip}"/>'
        return f"<g{path}>{drawn}{self._label(route.edge.label, points)}</g>"

    def _through(self, route: Route) -> list[tuple[float, float]]:
        spots = [(along, self._across(spot)) for spot in route.through for along in self._along[spot]]
        return [(across, along) if self._down else (along, across) for along, across in spots]

    def _leaves(self, box: _Box) -> tuple[float, float]:
        return (
            (box.x + box.width / 2, box.y + box.height) if self._down else (box.x + box.width, box.y + box.height / 2)
        )

    def _enters(self, box: _Box) -> tuple[float, float]:
        return (box.x + box.width / 2, box.y) if self._down else (box.x, box.y + box.height / 2)

    def _curve(self, points: list[tuple[float, float]]) -> str:
        out = [f"M{points[0][0]:g},{points[0][1]:g}"]
        for i, ((x1, y1), (x2, y2)) in enumerate(pairwise(points)):
            if i % 2:
                out.append(f"L{x2:g},{y2:g}")
            elif self._down:
                out.append(f"C{x1:g},{(y1 + y2) / 2:g} {x2:g},{(y1 + y2) / 2:g} {x2:g},{y2:g}")
            else:
                out.append(f"C{(x1 + x2) / 2:g},{y1:g} {(x1 + x2) / 2:g},{y2:g} {x2:g},{y2:g}")
        return "".join(out)

    def _label(self, text: str, points: list[tuple[float, float]]) -> str:
        if not text:
            return ""
        (x1, y1), (x2, y2) = points[:2]
        x, y, wide = (x1 + x2) / 2, (y1 + y2) / 2, _label_width(text)
        back = f'<rect class="paper" x="{x - wide / 2:g}" y="{y - 8:g}" width="{wide:g}" height="16"/>'
        return f'{back}<text class="label" x="{x:g}" y="{y + 4:g}" text-anchor="middle">{escape(_short(text))}</text>'


def _label_width(text: str) -> float:
    return len(_short(text)) * NOTE + 6


def _node(node: Node, box: _Box) -> str:
    """Draw one box: its kind, its name, its notes."""
    corner = min(ROUND.get(node.kind, 6), box.height / 2)
    x, y = box.x + box.width / 2, box.y + PAD + 2
    whole = escape(clean("\n".join([node.name, *node.notes, node.path])).replace("\ufffd", " "))
    lines = [f'<text class="kind" x="{x:g}" y="{y:g}" text-anchor="middle">{node.kind.upper()}</text>']
    for i, text in enumerate((node.name, *node.notes)):
        style, at = ("note", y + 2 + ROW * (i + 1)) if i else ("name", y + 1 + ROW)
        lines.append(f'<text class="{style}" x="{x:g}" y="{at:g}" text-anchor="middle">{escape(_short(text))}</text>')
    rect = f'<rect class="box" x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="{corner:g}"/>'
    head = f'<g class="{node.kind}" data-path="{escape(node.path)}" tabindex="0">'
    return "".join([head, f"<title>{whole}</title>", rect, *lines, "</g>"])
