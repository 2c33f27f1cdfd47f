"""Run a scenario under every schedule, or under many random ones; replay one from its text.

Rule 1. A schedule is a list of transitions; its text alone reproduces it.
Rule 2. Depth-first with sleep sets: of schedules that differ only in the order of independent
        transitions, one is run to its end.
Rule 3. What an actor or the final check raises is a finding, with its schedule.
Rule 4. What the model cannot show is said in docs/correctness.md.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from byteor.testing.lift import Operation
from byteor.testing.memory import Failure
from byteor.testing.world import DIE, Transition, World, dependent

Check = Callable[[], object]
Scenario = Callable[[World], Check | None]

# What code under test raises when a schedule breaks it; anything else is a fault of the tool, and passes.
RAISED = (Failure, AssertionError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
LONGEST = 3000  # transitions of one schedule: more is a loop without end


@dataclass(frozen=True, slots=True)
class Finding:
    """A schedule that shows what must not be."""

    reason: str
    schedule: str

    def __str__(self) -> str:
        return f"{self.reason}\nshow it with replay(scenario, {self.schedule!r})"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a search saw; `exhausted` says that there is no other schedule."""

    schedules: int
    exhausted: bool
    finding: Finding | None = None

    def expect(self) -> Outcome:
        """Raise when there is a finding."""
        if self.finding is not None:
            raise AssertionError(str(self.finding))
        return self


def _text(trail: list[Transition]) -> str:
    return " ".join(f"{a}!" if c == DIE else f"{a}:{c}" if k == "load" else str(a) for a, c, k, _ in trail)


def _matches(token: str, transition: Transition) -> bool:
    return _text([transition]) == token


@dataclass(slots=True)
class _Run:
    """One execution, step by step; a failure is kept as its reason."""

    scenario: Scenario
    world: World = field(default_factory=World)
    trail: list[Transition] = field(default_factory=list)
    check: Check | None = None

    def start(self) -> None:
        self.check = self.scenario(self.world)
        self.world.start()

    def enabled(self) -> list[Transition]:
        """All that may come next; at the end, judge it."""
        found = self.world.transitions()
        if len(self.trail) > LONGEST:
            raise Failure(f"loop without end: more than {LONGEST} operations")
        if not found:
            self._judge()
        return found

    def step(self, transition: Transition) -> None:
        self.trail.append(transition)
        self.world.step(transition)

    def _judge(self) -> None:
        stuck = self.world.wedged()
        if stuck:
            raise Failure("wedged: " + ", ".join(f"{a.name} before {self.describe(a.op)}" for a in stuck))
        if self.check is not None:
            self.check()

    def describe(self, op: Operation | None) -> str:
        if op is None:
            return "nothing"
        kind, order, *operands = op
        where = f" {self.world.name_of(operands[0])}" if operands else ""
        rest = "".join(f" {x}" for x in operands[1:])
        return f"{kind}{'_' + order if order else ''}{where}{rest}"


@dataclass(slots=True)
class _Node:
    """A point of the tree: what is left to try, what was tried, what need not be tried here."""

    todo: list[Transition]
    done: list[Transition]
    sleep: frozenset[Transition]

    def below(self) -> frozenset[Transition]:
        """The sleep set after the transition tried last."""
        last = self.done[-1]
        return frozenset(t for t in (*self.sleep, *self.done[:-1]) if not dependent(t, last))


def _descend(run: _Run, stack: list[_Node]) -> bool:
    """Follow the stack, then go on to an end; False when sleep cut the way short."""
    for node in stack:
        run.step(node.done[-1])
    while enabled := run.enabled():
        sleep = stack[-1].below() if stack else frozenset()
        todo = [t for t in enabled if t not in sleep]
        if not todo:
            return False
        stack.append(_Node(todo, [todo.pop(0)], sleep))
        run.step(stack[-1].done[-1])
    return True


def _backtrack(stack: list[_Node]) -> bool:
    while stack and not stack[-1].todo:
        stack.pop()
    if stack:
        stack[-1].done.append(stack[-1].todo.pop(0))
    return bool(stack)


def _attempt(run: _Run, go: Callable[[], bool]) -> bool | Finding:
    try:
        run.start()
        return go()
    except RAISED as error:
        text = str(error) or type(error).__name__
        reason = text if isinstance(error, Failure) else f"{type(error).__name__}: {text}"
        return Finding(reason.partition("\n")[0], _text(run.trail))


def explore(scenario: Scenario, limit: int = 1_000_000) -> Outcome:
    """Run every schedule, depth first, up to `limit` of them."""
    stack: list[_Node] = []
    count = 0
    while count < limit:
        run = _Run(scenario)
        ended = _attempt(run, lambda run=run: _descend(run, stack))  # type: ignore[misc]
        if isinstance(ended, Finding):
            return Outcome(count + 1, False, ended)
        count += ended
        if not _backtrack(stack):
            return Outcome(count, True)
    return Outcome(count, False)


def sample(scenario: Scenario, runs: int, seed: int) -> Outcome:
    """Run random schedules; the same seed gives the same ones."""
    chance = random.Random(seed)
    for count in range(runs):
        run = _Run(scenario)
        ended = _attempt(run, lambda run=run: _wander(run, chance))  # type: ignore[misc]
        if isinstance(ended, Finding):
            return Outcome(count + 1, False, ended)
    return Outcome(runs, False)


def _wander(run: _Run, chance: random.Random) -> bool:
    while enabled := run.enabled():
        actor = chance.choice(sorted({t[0] for t in enabled}))
        mine = [t for t in enabled if t[0] == actor]
        live = [t for t in mine if t[1] != DIE]
        run.step(mine[-1] if not live or (len(live) < len(mine) and chance.random() < 0.05) else chance.choice(live))
    return True


@dataclass(frozen=True, slots=True)
class Replay:
    """A schedule run again: each operation in words, and the finding if it shows again."""

    trace: tuple[str, ...]
    finding: Finding | None

    def __str__(self) -> str:
        end = f"=> {self.finding.reason}" if self.finding else "=> nothing wrong"
        return "\n".join([*self.trace, end])


def replay(scenario: Scenario, schedule: str) -> Replay:
    """Run the schedule of a finding again and tell what happens."""
    run = _Run(scenario)
    trace: list[str] = []

    def follow() -> bool:
        for token in schedule.split():
            enabled = run.enabled()
            step = next((t for t in enabled if _matches(token, t)), None)
            if step is None:
                raise Failure(f"this schedule is of another scenario: no {token} after {len(trace)} steps")
            trace.append(_tell(run, step))
            run.step(step)
        run.enabled()
        return True

    ended = _attempt(run, follow)
    return Replay(tuple(trace), ended if isinstance(ended, Finding) else None)


def _tell(run: _Run, step: Transition) -> str:
    actor, choice, kind, address = step
    name = run.world.actors[actor].name
    if choice == DIE:
        return f"{name}: dies"
    text = f"{name}: {run.describe(run.world.actors[actor].op)}"
    if kind != "load":
        return text
    value, newest = run.world.memory.history(address)[choice][0], run.world.memory.newest(address)
    return f"{text} -> {value}" + (f" (store {choice}, newest {newest})" if choice < newest else "")
