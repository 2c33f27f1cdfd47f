"""The stages of the flights: two forms, compiled and plain, and state per carrier and month.

Rule 1. Sums are over integers and means are divided once, at the end: batches and threads cannot show in them.
Rule 2. Each body says the same compiled and interpreted.
"""

from __future__ import annotations

import numpy as np

import byteor

NULL = -32768
HUBS = np.array([b"ATL", b"CLT", b"DEN", b"DFW", b"IAH", b"LAX", b"MIA", b"MSP", b"ORD", b"PHX", b"SFO"])
IS_HUB = frozenset(HUBS.tolist())


def clean(flight):
    """Mark what was cancelled; filter what left and has no arrival: it was diverted, or lost on the way."""
    cancelled = flight.dep_delay == NULL
    flight.cancelled = cancelled
    return cancelled or flight.arr_delay != NULL


def late(batch, p):
    """Mark arrivals more than `minutes` late; a missing delay is less than any."""
    batch["late"] = batch["arr_delay"] > p.minutes


def gain(batch, live):
    """Minutes made up in the air; 0 where both delays are missing. `live` keeps batches whole."""
    batch["gain"] = batch["dep_delay"] - batch["arr_delay"]


def hub(batch, live):
    """Mark flights to a hub, a batch at once."""
    batch["to_hub"] = np.isin(batch["dest"], HUBS)


def hub_each(flight):
    """The same for one flight: the form for what numpy cannot say, and a few times dearer."""
    flight.to_hub = flight.dest in IS_HUB


@byteor.stage
def delays(flight, state):
    """Add a flight to the record of its carrier and month."""
    if state.flights == 0:
        state.arr_delay_max = NULL
    state.flights += 1
    state.to_hub += flight.to_hub
    if flight.cancelled:
        state.cancelled += 1
        return
    state.late += flight.late
    state.dep_delay_sum += flight.dep_delay
    state.arr_delay_sum += flight.arr_delay
    state.gain_sum += flight.gain
    state.arr_delay_max = max(state.arr_delay_max, flight.arr_delay)


@delays.end
def delays_end(out, state):
    """Divide, and hand the records over."""
    for i in range(len(state)):
        row = state[i]
        flown = row.flights - row.cancelled
        row.dep_delay_mean = row.dep_delay_sum / flown if flown else np.nan
        row.arr_delay_mean = row.arr_delay_sum / flown if flown else np.nan
        row.late_share = row.late / flown if flown else np.nan
        out[i] = row
    return len(state)
