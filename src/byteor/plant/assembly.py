"""From a wired graph, its blocks and its stages' code to role runners; in one process or in many.

Rule 1. A role is assembled alike wherever it runs; what differs is whose memory its blocks are.
Rule 2. What cannot be compiled is a finding; all of them are told at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from byteor.diag import Diagnostic
from byteor.exec import compiler
from byteor.exec.stage import Stage
from byteor.kernel.wait import BLOCK, FOREVER, LINGER, STRATEGIES, Waiter
from byteor.plant import links
from byteor.plant.blocks import Blocks
from byteor.plant.desk import Desk
from byteor.plant.ends import EgressRole, IngressRole, Outlet, Source
from byteor.plant.failpoints import Deaths
from byteor.plant.logs import Log, LogBridge, LogIngress, TapRole
from byteor.plant.plain_stage import PlainStage
from byteor.plant.roles import Mover, RoleRunner
from byteor.plant.stage_roles import CompiledStage
from byteor.plant.wiring import Role, Wiring


@dataclass(frozen=True, slots=True)
class Manner:
    """How a plant runs: nothing here changes the result."""

    wait: str
    batch: int = 4096
    interpreted: bool = False
    deaths: Deaths = field(default_factory=dict)

    @property
    def blocking(self) -> bool:
        return self.wait == "block"

    @property
    def strategy(self) -> int:
        return STRATEGIES[self.wait]


@dataclass(frozen=True, slots=True)
class Outside:
    """What is behind the ends of a plant, by the name of the boundary; one that is not named is a program's own.

    `logs` are the plant's journals by the number of their lane.
    """

    sources: Mapping[str, Source]
    outlets: Mapping[str, Outlet]
    logs: Mapping[int, Log] = field(default_factory=dict)


def assemble(
    wiring: Wiring, role: Role, blocks: Blocks, codes: Mapping[str, Stage], manner: Manner, outside: Outside
) -> RoleRunner:
    """Make the runner of one role; nothing is compiled yet."""
    desk = Desk(wiring, role, blocks, manner.blocking)
    if role.name in manner.deaths:
        desk.doom(manner.deaths[role.name])
    written = next((outside.logs[port.lane] for port in role.outputs if port.lane in outside.logs), None)
    read = next((outside.logs[port.lane] for port in role.inputs if port.lane in outside.logs), None)
    if role.is_link:
        return links.made(desk, manner.batch, role.part)
    if role.kind == "ingress":
        source = outside.sources.get(role.name)
        return LogIngress(desk, manner.batch, source, written) if written else IngressRole(desk, manner.batch, source)
    if written is not None:
        return TapRole(desk, manner.batch, written)
    if read is not None:
        return LogBridge(desk, manner.batch, read)
    if role.kind == "egress":
        return EgressRole(desk, manner.batch, outside.outlets.get(role.name))
    if role.stage is None:
        return Mover(desk, manner.batch)
    code = codes[role.name]
    if role.stage.compiled and not manner.interpreted:
        return CompiledStage(desk, manner.batch, code)
    return PlainStage(desk, manner.batch, code, interpreted=role.stage.compiled)


def prepare(runner: RoleRunner, codes: Mapping[str, Stage]) -> Diagnostic | None:
    """Compile what a role calls; answer with the finding that keeps it from it."""
    try:
        runner.prepare()
    except compiler.NotCompilable as e:
        stage = runner.role.stage
        assert stage is not None
        return compiler.not_compilable(stage, codes[stage.name], f"lane_graph.{runner.role.path}.stage", e)
    return None


def waiter(runner: RoleRunner, stop: int, manner: Manner, patience: int = FOREVER) -> Waiter:
    """How a role waits; `stop` is the address of the word that ends it."""
    return Waiter(0, stop, runner.bell, manner.strategy, patience, LINGER * (patience > 0))


def blocks_somebody(manner: Manner) -> bool:
    """Whether anyone in the plant may sleep on its bell."""
    return manner.strategy == BLOCK
