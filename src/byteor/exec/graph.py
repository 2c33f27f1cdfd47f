"""The DAG of a ring: who waits for whom, who filters, where messages leave.

Rule 1. Gates are numbered as the stages are; the egress's comes after them.
Rule 2. The release boundary is the egress's gate where rows leave, else the gates of the sinks.
"""

from __future__ import annotations

from byteor.kernel.ring import UNMARKED
from byteor.spec import dag
from byteor.spec.model import SingleRing


class Graph:
    """What of a spec's DAG its executor needs."""

    def __init__(self, spec: SingleRing) -> None:
        self._stages = spec.stages
        self._before = dag.ancestors(spec.stages)
        self.emits_rows = spec.egress is not None and spec.egress.emit != "end"
        self.filters = [i for i, stage in enumerate(spec.stages) if stage.min_out == 0]
        self.sources = [i for i, stage in enumerate(spec.stages) if not stage.depends_on]
        self.sinks = [i for i in range(len(spec.stages)) if not self.dependents(i)]
        self.egress = len(spec.stages)
        self.boundary = [self.egress] if self.emits_rows else self.sinks

    def dependents(self, i: int) -> list[int]:
        """The stages that wait for stage `i`."""
        return [j for j, stage in enumerate(self._stages) if i in stage.depends_on]

    def marks(self, i: int) -> tuple[int, ...]:
        """The rows of dead cells that stage `i` looks at, its ancestors'; the egress looks at all."""
        rows = [k for k, stage in enumerate(self.filters) if i == self.egress or self._before[i] >> stage & 1]
        return tuple(rows) or UNMARKED

    def own(self, i: int) -> int:
        """The row of dead cells that stage `i` writes; -1 when it does not filter."""
        return self.filters.index(i) if i in self.filters else -1
