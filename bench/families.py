"""The families of measurements, by name; each is a module with `measured(effort) -> Family`.

Rule 1. A family is imported when it is asked for: what it needs is needed by it alone.
"""

from __future__ import annotations

from importlib import import_module

from bench.harness import Effort
from bench.results import Family

FAMILIES = {
    "P1": "single_ring",
    "P1py": "python_batches",
    "P1pm": "python_messages",
    "P2": "lane_messages",
    "P2m": "lane_producers",
    "P3": "lane_trips",
    "P4": "python_trips",
    "P5": "python_rows",
    "P6": "growth",
    "P7": "start",
    "P7b": "plant_start",
    "P8": "plant_idle",
    "P8a": "lane_idle",
    "P9": "main_job",
    "P10": "commits",
    "P11": "plant_job",
    "P12": "memory",
    "reach": "reach",
}


def run(name: str, effort: Effort) -> Family:
    """Measure one family."""
    family: Family = import_module(f"bench.{FAMILIES[name]}").measured(effort)
    return family
