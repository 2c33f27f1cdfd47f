"""Where the parts of a drawing stand: layers, an order in each, and a place across.

Rule 1. A layer is the longest way from the start; an edge over several layers gets a waypoint in each between.
Rule 2. Orders come from a fixed number of barycentre sweeps, places from the nearest ones that do not overlap:
    the same graph is drawn the same, everywhere.
Rule 3. `across` is the direction of a layer and `along` that of the flow; which of them is x is for the drawer.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from byteor.views.graph import Edge, Graph, depths, without_cycles

SWEEPS, PULLS = 8, 24
GAP = 26.0
LANE_GAP = 14.0

Sizes = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Route:
    """An edge with the spots of its waypoints, in order."""

    edge: Edge
    through: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """Spots are paths of nodes and names of waypoints: the layers of spots, and the middle of each across."""

    layers: tuple[tuple[str, ...], ...]
    across: Mapping[str, float]
    routes: tuple[Route, ...]


def lay_out(graph: Graph, sizes: Sizes) -> Layout:
    """Place a graph; `sizes` are those of the nodes across a layer."""
    graph = without_cycles(graph)
    layers, routes, links = _layered(graph)
    before, after = _neighbours(links)
    layers = _ordered(layers, before, after)
    across = _places(layers, before, after, sizes)
    return Layout(tuple(map(tuple, layers)), across, routes)


def _layered(graph: Graph) -> tuple[list[list[str]], tuple[Route, ...], list[tuple[str, str]]]:
    """The layers with waypoints, and the links between neighbouring layers."""
    depth = depths(graph)
    layers: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for node in graph.nodes:
        layers[depth[node.path]].append(node.path)
    routes, links = [], []
    for i, edge in enumerate(graph.edges):
        between = range(depth[edge.source] + 1, depth[edge.target])
        through = tuple(f"{i}@{at}" for at in between)
        for at, spot in zip(between, through, strict=True):
            layers[at].append(spot)
        routes.append(Route(edge, through))
        links += list(zip((edge.source, *through), (*through, edge.target), strict=True))
    return layers, tuple(routes), links


def _neighbours(links: Iterable[tuple[str, str]]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    before: dict[str, list[str]] = {}
    after: dict[str, list[str]] = {}
    for source, target in links:
        before.setdefault(target, []).append(source)
        after.setdefault(source, []).append(target)
    return before, after


def _ordered(
    layers: list[list[str]], before: Mapping[str, list[str]], after: Mapping[str, list[str]]
) -> list[list[str]]:
    """Sweep to and fro, and take the orders under which the fewest edges cross, the first of them."""
    best, fewest = layers, _crossings(layers, after)
    for sweep in range(SWEEPS):
        layers = [list(layer) for layer in layers]
        forward = sweep % 2 == 0
        _order(layers if forward else layers[::-1], before if forward else after)
        if (count := _crossings(layers, after)) < fewest:
            best, fewest = layers, count
    return best


def _crossings(layers: Sequence[list[str]], after: Mapping[str, list[str]]) -> int:
    """Count the pairs of links that cross, layer by layer."""
    count = 0
    for above, below in pairwise(layers):
        rank = {spot: i for i, spot in enumerate(below)}
        seen: list[int] = []
        for spot in above:
            ends = sorted(rank[one] for one in after.get(spot, ()))
            count += sum(len(seen) - bisect_right(seen, end) for end in ends)
            seen = sorted([*seen, *ends])
    return count


def _order(layers: Sequence[list[str]], towards: Mapping[str, list[str]]) -> None:
    """Put each layer in the order of the middles of its neighbours in the layer before."""
    for above, layer in pairwise(layers):
        rank = {spot: i for i, spot in enumerate(above)}
        own = {spot: i * len(above) / len(layer) for i, spot in enumerate(layer)}
        layer.sort(key=_middle(towards, rank, own))


def _middle(towards: Mapping[str, list[str]], rank: Sizes, own: Sizes) -> Callable[[str], float]:
    def middle(spot: str) -> float:
        near = [rank[one] for one in towards.get(spot, ())]
        return sum(near) / len(near) if near else own[spot]

    return middle


def _places(
    layers: Sequence[Sequence[str]],
    before: Mapping[str, list[str]],
    after: Mapping[str, list[str]],
    sizes: Sizes,
) -> dict[str, float]:
    """Pull every spot towards its neighbours, first one way, then the other, and last both."""
    across: dict[str, float] = {}
    for layer in layers:
        across |= dict(zip(layer, _apart(layer, [0.0] * len(layer), sizes), strict=True))
    both = {spot: [*before.get(spot, ()), *after.get(spot, ())] for spot in across}
    for sweep in range(PULLS):
        forward = sweep % 2 == 0
        towards = both if sweep >= PULLS // 2 else before if forward else after
        for layer in layers if forward else reversed(layers):
            near = [towards.get(spot) or [spot] for spot in layer]
            wanted = [sum(across[one] for one in ones) / len(ones) for ones in near]
            across |= dict(zip(layer, _apart(layer, wanted, sizes), strict=True))
    least = min((at - sizes.get(spot, 0.0) / 2 for spot, at in across.items()), default=0.0)
    return {spot: round(at - least) for spot, at in across.items()}


def _apart(layer: Sequence[str], wanted: Sequence[float], sizes: Sizes) -> list[float]:
    """The places nearest to the wanted ones that keep the order and leave a gap (least squares)."""
    offsets = [0.0]
    for one, two in pairwise(layer):
        gap = GAP if one in sizes and two in sizes else LANE_GAP
        offsets.append(offsets[-1] + (sizes.get(one, 0.0) + sizes.get(two, 0.0)) / 2 + gap)
    blocks: list[list[float]] = []  # [sum, count]: neighbours that push each other move as one
    for at, offset in zip(wanted, offsets, strict=False):
        blocks.append([at - offset, 1.0])
        while len(blocks) > 1 and blocks[-2][0] * blocks[-1][1] > blocks[-1][0] * blocks[-2][1]:
            total, count = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += count
    means = [total / count for total, count in blocks for _ in range(int(count))]
    return [mean + offset for mean, offset in zip(means, offsets, strict=False)]
