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
from typing import Concatenate, ParamSpec

from byteor.testing.lift import Operation
from byteor.testing.memory import Failure
from byteor.testing.world import DIE, UPDATES, Actor, Transition, World, dependent

Check = Callable[[], object]
Scenario = Callable[[World], Check | None]

# What code under test raises when a schedule breaks it; anything else is a fault of the tool, and passes.
RAISED = (Failure, AssertionError, ArithmeticError, AttributeError, LookupError, NameError, TypeError, ValueError)
WRITES = ("store", *UPDATES, "wait")  # a futex wait looks at the newest store, so its place among them matters
TOUCHES = ("load", *WRITES)
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
        self.world.done[transition[2]] += 1
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


def _behind(other: Actor, actor: int) -> bool:
    """Whether `other` has ended, or goes on only once `actor` is dead."""
    return other.op is None or (other.op[0] == "await" and other.op[2] == -1 - actor)


class _Writers:
    """Who writes which word, as far as seen: a word of one writer needs no order among its stores."""

    def __init__(self) -> None:
        self.known: set[tuple[int, int]] = set()
        self.grew = False
        self._of: dict[int, set[int]] = {}

    def learn(self, step: Transition) -> None:
        actor, _, kind, address = step
        if kind in WRITES and (address, actor) not in self.known:
            self.known.add((address, actor))
            self._of.setdefault(address, set()).add(actor)
            self.grew = True

    def private(self, world: World, step: Transition) -> bool:
        """Whether nobody else writes the word before this actor moves, so that nothing is lost by doing this now."""
        actor, _, kind, address = step
        if kind not in TOUCHES:
            return kind == "woken"
        writers = self._of.get(address, set())
        return all(other == actor or _behind(world.actors[other], actor) for other in writers)

    def settled(self, world: World, step: Transition, able: set[int]) -> bool:
        """Whether those who can move before this load's actor does write none of the words it waits for."""
        reader = world.actors[step[0]]
        others = self._movable(world, able - {reader.id}, reader.id)
        return not any(self._of.get(word, set()) & others for word in {step[3], *reader.must})

    def _movable(self, world: World, moving: set[int], without: int) -> set[int]:
        """Who can move while one actor does not: those able to, and whom these can make able to."""
        waiting = [a for a in world.actors if a.op is not None and a.id != without and a.id not in moving]
        for actor in waiting:
            if self._can_free(world, actor, moving):
                return self._movable(world, moving | {actor.id}, without)
        return moving

    def _can_free(self, world: World, actor: Actor, moving: set[int]) -> bool:
        if actor.op is not None and actor.op[0] == "await":
            return -1 - actor.op[2] in moving
        if actor.op is None or actor.op[0] not in TOUCHES:  # asleep
            return bool(moving)
        return any(self._of.get(word, set()) & moving for word in actor.must)


def _worth_trying(run: _Run, enabled: list[Transition], writers: _Writers) -> list[Transition]:
    """All of them, or those of one actor whose choices nobody else can add to before it has moved."""
    for step in enabled:
        if writers.private(run.world, step):
            return [t for t in enabled if t[0] == step[0]]
    for step in enabled:
        if step[2] == "load" and writers.settled(run.world, step, {t[0] for t in enabled}):
            return [t for t in enabled if t[0] == step[0]]
    return enabled


def _descend(run: _Run, stack: list[_Node], writers: _Writers | None) -> bool:
    """Follow the stack, then go on to an end; False when sleep cut the way short."""
    for node in stack:
        run.step(node.done[-1])
    while enabled := run.enabled():
        sleep: frozenset[Transition] = frozenset()
        todo = enabled
        if writers is not None:
            sleep = stack[-1].below() if stack else sleep
            todo = [t for t in _worth_trying(run, enabled, writers) if t not in sleep]
        if not todo:
            return False
        step = todo.pop(0)
        stack.append(_Node(todo, [step], sleep))
        if writers is not None:
            writers.learn(step)
        run.step(step)
    return True


def _backtrack(stack: list[_Node]) -> bool:
    while stack and not stack[-1].todo:
        stack.pop()
    if stack:
        stack[-1].done.append(stack[-1].todo.pop(0))
    return bool(stack)


P = ParamSpec("P")


def _attempt(run: _Run, go: Callable[Concatenate[_Run, P], bool], *given: P.args, **named: P.kwargs) -> bool | Finding:
    try:
        run.start()
        return go(run, *given, **named)
    except RAISED as error:
        text = str(error) or type(error).__name__
        reason = text if isinstance(error, Failure) else f"{type(error).__name__}: {text}"
        return Finding(reason.partition("\n")[0], _text(run.trail))


def explore(scenario: Scenario, limit: int = 1_000_000, reduce: bool = True) -> Outcome:
    """Run every schedule, depth first, up to `limit` of them; without `reduce`, equivalent ones too."""
    stack: list[_Node] = []
    writers = _Writers() if reduce else None
    count = 0
    while count < limit:
        run = _Run(scenario)
        ended = _attempt(run, _descend, stack, writers)
        if isinstance(ended, Finding):
            return Outcome(count + 1, False, ended)
        if writers is not None and writers.grew:  # what was left out was left out for knowing too little: begin again
            writers.grew, stack, count = False, [], 0
            continue
        count += ended
        if not _backtrack(stack):
            return Outcome(count, True)
    return Outcome(count, False)


def sample(scenario: Scenario, runs: int, seed: int) -> Outcome:
    """Run random schedules; the same seed gives the same ones."""
    chance = random.Random(seed)
    for count in range(runs):
        run = _Run(scenario)
        ended = _attempt(run, _wander, chance)
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

    def follow(run: _Run) -> bool:
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
