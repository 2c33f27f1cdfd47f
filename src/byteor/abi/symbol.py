"""Sizes that may be symbols: the same table gives offsets in numbers, or as C text over its parameters.

Rule 1. A `Symbol` is an int, so a table never asks which of the two it adds up.
Rule 2. Its text gives, in C, the value that the numbers give here; a test compares them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

# A product of atoms, each with a number that surely divides it; the empty product stands for 1.
Atom = tuple[str, int]
Term = tuple[Atom, ...]


class Symbol(int):
    """A size with a value to go on with, and the sum of products that it stands for."""

    terms: Mapping[Term, int]

    def __new__(cls, value: int, terms: Mapping[Term, int]) -> Symbol:
        made = super().__new__(cls, value)
        made.terms = {term: times for term, times in terms.items() if times}
        return made

    def __add__(self, other: int) -> Symbol:
        sums = dict(self.terms)
        for term, times in _terms(other).items():
            sums[term] = sums.get(term, 0) + times
        return Symbol(int(self) + int(other), sums)

    def __mul__(self, other: int) -> Symbol:
        products: dict[Term, int] = {}
        for one, times in self.terms.items():
            for two, more in _terms(other).items():
                term = tuple(sorted((*one, *two)))
                products[term] = products.get(term, 0) + times * more
        return Symbol(int(self) * int(other), products)

    __radd__, __rmul__ = __add__, __mul__


def symbol(text: str) -> Symbol:
    """Name a size that is not known yet."""
    return Symbol(1, {((text, 1),): 1})


def _terms(size: int) -> Mapping[Term, int]:
    return size.terms if isinstance(size, Symbol) else {(): size}


def up(size: int, step: int) -> int:
    """Round a size up to a multiple of `step`."""
    rounded = -(-int(size) // step) * step
    if not isinstance(size, Symbol):
        return rounded
    known = [times * math.prod(divisor for _, divisor in term) for term, times in size.terms.items()]
    if all(one % step == 0 for one in known):
        return size
    return Symbol(rounded, {((f"indexbus_up({c_text(size)}, {step})", step),): 1})


def c_text(size: int) -> str:
    """Write a size as an expression of C, over 64-bit unsigned numbers."""
    parts = [_product(term, times) for term, times in sorted(_terms(size).items(), key=lambda item: len(item[0]))]
    return " + ".join(parts) or "0"


def _product(term: Term, times: int) -> str:
    factors = [text for text, _ in term]
    return " * ".join([str(times), *factors] if times != 1 or not factors else factors)
