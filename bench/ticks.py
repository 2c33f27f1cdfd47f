"""The stages of the bench: what is done to a tick, compiled, in plain Python and in Java alike.

Rule 1. A stage does one or two machine operations: what is measured is the ring, not the work.
"""

from __future__ import annotations

import numpy as np


def make(tick, number):
    """Make a tick in its slot."""
    tick.px = number
    tick.qty = 1


def add(tick):
    tick.px += tick.qty


def triple(tick):
    tick.qty = tick.px * 3


def mix(tick):
    tick.px ^= tick.qty


def scale(tick):
    tick.px = tick.px * 3


def shift(tick):
    tick.qty = tick.qty + 7


def sum_px(tick, state):
    state.sum += tick.px


def sum_qty(tick, state):
    state.sum += tick.qty


def mix_px(tick, state):
    state.sum ^= tick.px


def add_batch(batch):
    batch["px"] += batch["qty"]


def triple_batch(batch):
    np.multiply(batch["px"], 3, out=batch["qty"])


def mix_batch(batch):
    batch["px"] ^= batch["qty"]
