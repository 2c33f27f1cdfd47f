"""The stages of the flights plant: two that make one type, two that remember, and an alert in plain Python.

Rule 1. Sums are over integers and each division is done once, so nothing depends on who computes it.
Rule 2. Who gives another record fills all of its fields.
"""

from __future__ import annotations

import numpy as np

NULL = -32768
WEATHER = 0


def weather_event(observation, out):
    """Make an event of an observation; the fields of flights are empty."""
    event = out[0]
    event.time_hour = observation.time_hour
    event.source = 0
    event.carrier = b""
    event.flight = 0
    event.origin = observation.origin
    event.dest = b""
    event.dep_delay = NULL
    event.wind_speed = observation.wind_speed
    event.visib = observation.visib
    event.usual = np.nan
    event.score = np.nan
    return 1


def flight_event(flight, out):
    """Make an event of a flight; the weather is filled in later."""
    event = out[0]
    event.time_hour = flight.time_hour
    event.source = 0
    event.carrier = flight.carrier
    event.flight = flight.flight
    event.origin = flight.origin
    event.dest = flight.dest
    event.dep_delay = flight.dep_delay
    event.wind_speed = np.nan
    event.visib = np.nan
    event.usual = np.nan
    event.score = np.nan
    return 1


def enrich(event, state):
    """Keep the weather of an airport and filter it; give it to the airport's flights."""
    if event.source == WEATHER:
        state.wind_speed = event.wind_speed
        state.visib = event.visib
        state.seen = True
        return False
    if state.seen:
        event.wind_speed = state.wind_speed
        event.visib = state.visib
    return True


def score(event, state, p):
    """Tell what delay was usual for the carrier so far, with `per_mph` minutes for wind beyond `calm`."""
    if state.flights >= p.least:
        usual = state.minutes / state.flights
        if event.wind_speed > p.calm:
            usual += p.per_mph * (event.wind_speed - p.calm)
        event.usual = usual
        if event.dep_delay != NULL:
            event.score = event.dep_delay - usual
    if event.dep_delay != NULL:
        state.flights += 1
        state.minutes += event.dep_delay


def alert(event, out, state, p):
    """Tell of a flight much later than usual, unless its carrier was told of in the last `quiet` seconds."""
    if not event.score > p.minutes or (state.alerts and event.time_hour - state.time < p.quiet):
        return 0
    state.time = event.time_hour
    state.alerts += 1
    told = out[0]
    told.time_hour = event.time_hour
    told.carrier = event.carrier
    told.flight = event.flight
    told.origin = event.origin
    told.score = event.score
    told.number = state.alerts
    told.text = f"{event.carrier.decode()} {event.flight} left {event.score:.0f} minutes later than usual".encode()
    return 1
