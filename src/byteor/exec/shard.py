"""One shard: a ring and the runners of its stages.

Rule 1. A shard knows nothing of other shards; ingress and egress are bells that it rings.
Rule 2. Everything is compiled, opened and begun before it runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from byteor.backings import mem
from byteor.diag import Diagnostic
from byteor.exec import compiler
from byteor.exec.graph import Graph
from byteor.exec.plain import PlainRunner
from byteor.exec.runners import CompiledRunner, Place, Runner
from byteor.exec.stage import Stage
from byteor.exec.state import hold
from byteor.kernel.loops import Port
from byteor.kernel.wait import BLOCK, FOREVER, LINGER, NOBODY, STRATEGIES, Waiter
from byteor.spec.model import SingleRing
from byteor.spec.model import Stage as Spec


@dataclass(frozen=True, slots=True)
class Options:
    """How to run: nothing here changes the result."""

    wait: str = ""  # "" is the spec's own
    batch: int = 4096
    interpreted: bool = False
    threads: bool = True
    debug: bool = False  # guard the stages that run in plain Python


class Refusals(Exception):
    """The stages cannot be brought up; all the findings."""

    def __init__(self, findings: Iterable[Diagnostic]) -> None:
        self.findings = tuple(findings)
        super().__init__(", ".join(d.code for d in self.findings))


@dataclass(frozen=True, slots=True)
class Outside:
    """What all shards share: the run's words, and the bells of its two ends."""

    control: mem.Words
    ingress: mem.Words
    egress: mem.Words
    strategy: int

    def bells(self, ends: Iterable[mem.Words]) -> tuple[int, ...]:
        """The bells to ring; nobody's where nobody may block, since ringing costs a fence."""
        found = tuple(end.address("bell") for end in ends)
        return found if self.strategy == BLOCK and found else NOBODY

    def waiter(self, closed: int, end: mem.Words, patience: int = FOREVER) -> Waiter:
        return Waiter(
            closed, self.control.address("stop"), end.address("bell"), self.strategy, patience, LINGER * (patience > 0)
        )


def outside(spec: SingleRing, options: Options) -> Outside:
    """Make what the shards of a run share."""
    return Outside(mem.control(), mem.runner(), mem.runner(), STRATEGIES[options.wait or spec.wait])


class Shard:
    """One ring with its runners; made, it is ready to be run."""

    def __init__(
        self,
        spec: SingleRing,
        graph: Graph,
        ring: mem.Ring,
        codes: dict[str, Stage],
        options: Options,
        around: Outside,
        ends: list[mem.Words] | None = None,
    ) -> None:
        """`ends` are the words of runners elsewhere, which wire the ring and make no runner here."""
        self.spec, self.graph, self.ring, self.options, self.around = spec, graph, ring, options, around
        self.ends = [mem.runner() for _ in spec.stages] if ends is None else ends
        self.runners = self._make(codes) if ends is None else []
        for i, runner in enumerate(self.runners):
            runner.warm_up(self.waiter(i, 0))
            runner.begin()

    def _make(self, codes: dict[str, Stage]) -> list[Runner]:
        runners, wrong = [], []
        for i, stage in enumerate(self.spec.stages):
            try:
                runners.append(self._runner(i, stage, codes[stage.name]))
            except compiler.NotCompilable as e:
                wrong.append(compiler.not_compilable(stage, codes[stage.name], f"single_ring.stages.{i}", e))
        if wrong:
            raise Refusals(wrong)
        return runners

    def _runner(self, i: int, stage: Spec, code: Stage) -> Runner:
        kinds = {t.name: t for t in self.spec.types}
        held = hold(stage, kinds, self.ring.slots)
        place = Place(self.ring, self.port(i), self.ends[i], held, kinds[stage.end.type] if stage.end else None)
        if stage.compiled and not self.options.interpreted:
            return CompiledRunner(stage, code, place)
        return PlainRunner(stage, code, place, interpreted=stage.compiled, debug=self.options.debug)

    def port(self, i: int) -> Port:
        """Where stage `i` meets the ring."""
        graph, words, stage = self.graph, self.ring.words, self.spec.stages[i]
        before = self.cells(stage.depends_on) if stage.depends_on else (words.address("cursor"),)
        after = [self.ends[j] for j in graph.dependents(i)]
        rung = self.around.bells(after or [self.around.egress if graph.emits_rows else self.around.ingress])
        stats, limit = self.ends[i].address("at"), self.options.batch
        return Port(before, words.address("gate", i), stats, rung, graph.marks(i), graph.own(i), limit)

    def cells(self, gates: Iterable[int]) -> tuple[int, ...]:
        """The addresses of gates."""
        return tuple(self.ring.words.address("gate", i) for i in gates)

    def waiter(self, i: int, patience: int = FOREVER) -> Waiter:
        return self.around.waiter(self.ring.words.address("closed"), self.ends[i], patience)

    def processed(self, gate: int) -> int:
        return self.ring.words.read("gate", gate)

    def drained(self, gate: int) -> bool:
        """Whether this reader has passed all that there ever will be."""
        return self.ring.words.read("closed") == self.processed(gate)

    def lag(self, i: int) -> int:
        """How many messages lie before stage `i`."""
        before = (self.processed(d) for d in self.spec.stages[i].depends_on)
        return max(0, min(before, default=self.ring.words.read("cursor")) - self.processed(i))
