"""Families: tables with parameters, and the kinds of regions that they lay out.

Rule 1. A family's parameters are whole numbers within bounds; they stand in the region as its *shape*, in order.
Rule 2. A kind is a number of the header and a family, with those parameters that the kind fixes.
Rule 3. Parameters out of bounds and regions too large are findings; nothing is laid out for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from byteor.abi import findings
from byteor.abi.layout import SECTION, U64, Cell, Layout, canonical, cell, layout
from byteor.abi.symbol import symbol
from byteor.diag import Diagnostic

MAX_BYTES = 2**32 - 1  # `layout_bytes` is 32 bits wide


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter, from `low` to `high`; with `power`, a power of two; with `default`, it may be left out."""

    name: str
    doc: str
    low: int
    high: int
    power: bool = False
    default: int | None = None

    def allows(self, value: int) -> bool:
        return self.low <= value <= self.high and not (self.power and value & (value - 1))

    @property
    def bounds(self) -> str:
        return f"{'a power of two ' if self.power else ''}from {self.low} to {self.high}"


@dataclass(frozen=True, slots=True)
class Family:
    """A table with parameters: `cells` gives its cells for given ones, numbers or symbols alike."""

    name: str
    doc: str
    prefix: str
    params: tuple[Param, ...]
    cells: Callable[..., tuple[Cell, ...]]

    @property
    def shape(self) -> Layout:
        """The block that names the parameters."""
        return shape(f"{self.prefix}{self.name.title().replace('_', '')}Shape", self.params)

    def layout(self, name: str, params: Mapping[str, int]) -> Layout:
        """Lay the family out for these parameters."""
        return layout(name, self.doc, *self.cells(**params), align=SECTION if self.prefix == "Byteor" else 1)

    def symbolic(self) -> Layout:
        """Lay the family out in symbols, which are the members of a `shape`."""
        return self.layout(self.name, {p.name: symbol(f"shape.{p.name}") for p in self.params})


def shape(name: str, params: tuple[Param, ...]) -> Layout:
    """State the block of a family's parameters."""
    cells = [cell(p.name, U64, f"{p.doc}; {p.bounds}", "creator") for p in params]
    return layout(name, "what the creator chose, in the order of the family's parameters", *cells)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of region: its number in the header, its family, what it fixes, and the instances that C is given."""

    name: str
    number: int
    doc: str
    family: Family
    fixed: Mapping[str, int]
    exported: tuple[tuple[str, Mapping[str, int]], ...]
    interchange_only: bool = False

    def chosen(self, params: Mapping[str, int]) -> dict[str, int]:
        """All parameters in order: the given ones, defaults, and those that the kind fixes."""
        every = {**self._defaults(), **params, **self.fixed}
        return {p.name: every[p.name] for p in self.family.params}

    def _defaults(self) -> dict[str, int]:
        return {p.name: p.default for p in self.family.params if p.default is not None}

    def layout(self, **params: int) -> Layout:
        """Lay out a region of this kind; `findings` says whether it can be."""
        return self.family.layout(self.name, self.chosen(params))

    def text(self, **params: int) -> str:
        """The canonical text of a region of this kind: its number, its parameters and its table."""
        given = "".join(f"{name} {value}\n" for name, value in self.chosen(params).items())
        return f"kind {self.number} {self.name}\n{given}{canonical(self.layout(**params))}"

    def instances(self) -> Iterator[tuple[Mapping[str, int], Layout]]:
        """The exported instances, laid out."""
        for name, params in self.exported:
            chosen = self.chosen(params)
            yield chosen, self.family.layout(name, chosen)

    def findings(self, **params: int) -> tuple[Diagnostic, ...]:
        """Say what keeps these parameters from being a region."""
        chosen = {**self._defaults(), **self.fixed, **params}
        bad = (self._bad(p, chosen.get(p.name)) for p in self.family.params)
        found = tuple(d for d in bad if d is not None)
        return found or self._too_large(chosen)

    def _bad(self, param: Param, value: int | None) -> Diagnostic | None:
        fixed = self.fixed.get(param.name, value)
        if value is not None and value == fixed and param.allows(value):
            return None
        bounds = str(fixed) if param.name in self.fixed else param.bounds
        said = "is missing" if value is None else f"is {value}"
        return findings.BAD_PARAMETER.at(param.name, f"`{param.name}` {said}; `{self.name}` takes {bounds}")

    def _too_large(self, params: Mapping[str, int]) -> tuple[Diagnostic, ...]:
        size = self.layout(**params).bytes
        if size <= MAX_BYTES:
            return ()
        return (findings.REGION_TOO_LARGE.at("layout_bytes", f"the region would have {size} bytes"),)
