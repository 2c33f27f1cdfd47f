"""A graph as text: for Mermaid, for Graphviz, and for a terminal.

Rule 1. Names are shown, never interpreted: each form's own escapes are used, and nodes are named by number.
"""

from __future__ import annotations

import re

from byteor.views.graph import Graph, Node, in_order

_UNPRINTABLE = re.compile("[^ -\u007e\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SHAPES = {"lane": ("([", "])"), "router": ("{{", "}}"), "merge": ("{{", "}}"), "ingress": ("[/", "/]")}
_DOT = {"lane": "ellipse", "router": "hexagon", "merge": "hexagon", "ingress": "cds", "egress": "cds"}


def clean(text: str) -> str:
    """A text without what no document or terminal should be given."""
    return _UNPRINTABLE.sub("\ufffd", text)


def mermaid(graph: Graph, top_down: bool = False) -> str:
    """Draw for Mermaid."""
    at = {node.path: f"n{i}" for i, node in enumerate(graph.nodes)}
    lines = [f"flowchart {'TB' if top_down else 'LR'}"]
    for node in graph.nodes:
        left, right = _SHAPES.get(node.kind, ("[", "]"))
        said = "<br/>".join(_entities(text) for text in (node.name, *node.notes))
        lines.append(f'  {at[node.path]}{left}"{said}"{right}')
    for edge in graph.edges:
        label = f'|"{_entities(edge.label)}"|' if edge.label else ""
        lines.append(f"  {at[edge.source]} -->{label} {at[edge.target]}")
    return "\n".join([*lines, ""])


def _entities(text: str) -> str:
    return re.sub(r"[^\w .,:()/=*+-]", lambda m: f"#{ord(m[0])};", clean(text))


def dot(graph: Graph, top_down: bool = False) -> str:
    """Draw for Graphviz."""
    at = {node.path: f"n{i}" for i, node in enumerate(graph.nodes)}
    lines = [f"digraph {_quoted(graph.name)} {{", f"  rankdir={'TB' if top_down else 'LR'};"]
    lines.append('  node [shape=box, style=rounded, fontname="sans-serif"];')
    for node in graph.nodes:
        shape = f", shape={_DOT[node.kind]}, style=solid" if node.kind in _DOT else ""
        label = _quoted("\n".join([node.name, *node.notes]))
        lines.append(f"  {at[node.path]} [label={label}, id={_quoted(node.path)}{shape}];")
    for edge in graph.edges:
        label = f" [label={_quoted(edge.label)}]" if edge.label else ""
        lines.append(f"  {at[edge.source]} -> {at[edge.target]}{label};")
    return "\n".join([*lines, "}", ""])


def _quoted(text: str) -> str:
    rows = [clean(row).replace("\\", "\\\\").replace('"', '\\"') for row in text.split("\n")]
    return '"' + "\\n".join(rows) + '"'


def text(graph: Graph) -> str:
    """Draw for a terminal: a line for each node, below all that it waits for."""
    names = {node.path: node.name for node in graph.nodes}
    before: dict[str, list[str]] = {path: [] for path in names}
    for edge in graph.edges:
        before[edge.target].append(names[edge.source] + (f" ({edge.label})" if edge.label else ""))
    rows = [_row(depth, node, before[node.path]) for depth, layer in enumerate(in_order(graph)) for node in layer]
    widths = [max(len(row[column]) for row in rows) for column in range(3)] if rows else []
    lines = ["  ".join([*map(str.ljust, row, widths), row[3]]).rstrip() for row in rows]
    return "\n".join([f"{clean(graph.name)} ({graph.shape})", *lines, ""])


def _row(depth: int, node: Node, before: list[str]) -> tuple[str, str, str, str]:
    arrow = f"<- {', '.join(before)}" if before else ""
    return f"{depth:>3} {node.kind}", clean(node.name), clean(arrow), clean("; ".join(node.notes))
