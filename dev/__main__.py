"""`python -m dev TASK`: the one automation entry, by hand and in CI.

Rule 1. Standard library only; the tools it calls stand beside the interpreter that runs it.
Rule 2. One function per task, in one table; its help says how long it takes on two cores.
Rule 3. A task that fails says so by its exit status; a task of several steps runs them all.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from dev import (
    browser,
    c_peer,
    fuzz,
    gen,
    hardware,
    on_ray,
    perf,
    plants,
    proof,
    reach,
    size,
    soak,
    stress,
    studio_page,
    watching,
)
from dev.steps import FULL, LINT, QUICK, run_all

Arguments = argparse.Namespace


def check(_: Arguments) -> int:
    return run_all(LINT + QUICK)


def lint(_: Arguments) -> int:
    return run_all(LINT)


def full(_: Arguments) -> int:
    return max(run_all(LINT + FULL), proof.explore(full=True), proof.mutants(full=True))


def generate(given: Arguments) -> int:
    return gen.check() if given.check else gen.write()


def measure(_: Arguments) -> int:
    return size.report()


def explore(given: Arguments) -> int:
    return proof.explore(given.full)


def mutants(given: Arguments) -> int:
    return proof.mutants(given.full)


def emitted(_: Arguments) -> int:
    return hardware.emitted()


def litmus(given: Arguments) -> int:
    return hardware.litmus(given.rounds)


def fuzz_documents(given: Arguments) -> int:
    if given.coverage:
        return fuzz.by_coverage(given.seconds, given.seed, given.form or fuzz.FORMS[0])
    return fuzz.fuzz(given.seconds, given.inputs, given.seed, given.form)


def soak_rings(given: Arguments) -> int:
    return soak.soak(given.minutes, given.seed)


def stress_lanes(given: Arguments) -> int:
    if given.what == "c-peer":
        return c_peer.stress(given.messages or 1_000_000)
    if given.what == "plant":
        return plants.stress(given.kills, given.seed)
    if given.what == "reach":
        return reach.stress(given.kills, given.cut, given.seed)
    if given.what == "ray":
        return on_ray.stress(given.cut)
    return stress.stream(given.messages) if given.messages else stress.stress(given.kills, given.seed)


def bench(given: Arguments) -> int:
    return perf.perf(given.families, given.json, given.plot, given.update, given.rounds)


def watch(given: Arguments) -> int:
    return watching.draw(given.picture) if given.picture else watching.watching(given.rounds)


def build_studio(given: Arguments) -> int:
    if given.wheels:
        return browser.wheels(given.wheels)
    if given.pictures or given.measure:
        return studio_page.pictures() if given.pictures else studio_page.latencies()
    return browser.set_up() if given.set_up else browser.build()


TASKS: tuple[tuple[str, Callable[[Arguments], int], str], ...] = (
    ("check", check, "lint, then the tests that are not slow (about 1 minute)"),
    ("lint", lint, "format, lint, types, layers, generated files (about 15 seconds, 3 when warm)"),
    ("full", full, "check with every test, stress included, then explore and mutants in full (hours)"),
    ("gen", generate, "write the generated files, or hold them up to date with --check (1 second)"),
    ("size", measure, "lines per layer, beside the guide (1 second)"),
    (
        "fuzz",
        fuzz_documents,
        "hostile documents: no traceback, no hang, one answer (1 minute, --seconds N)",
    ),
    ("perf", bench, "the bench beside its peers, all families or those named (about 10 minutes)"),
    (
        "watch",
        watch,
        "what it costs a plant to be watched, in paired rounds (2 minutes, --rounds N); --picture FILE draws the table",
    ),
    ("soak", soak_rings, "rings under load, to the message, with memory flat (5 minutes, --minutes N)"),
    (
        "stress",
        stress_lanes,
        "lanes: ends killed at random moments, nothing lost (--kills N; 100 take half a minute), or --messages N "
        "between processes; c-peer: --messages N each way between Python and C; plant: processes of whole plants "
        "killed at named points and at random moments (--kills 500 takes about ten minutes); reach: the links of a "
        "plant on two hosts killed, and cut for --cut SECONDS, behind a relay that delays and breaks; ray: "
        "actors, raylet and head of two machines under Ray killed, and the way between them cut (four minutes)",
    ),
    (
        "studio",
        build_studio,
        "build the studio and the npm package, from `npm ci` on (half a minute, 10 seconds when warm)",
    ),
    ("explore", explore, "every interleaving of the hot source, as a table (half a minute, --full a quarter hour)"),
    ("mutants", mutants, "weaken the hot source; each mutant must die (two minutes, --full hours)"),
    ("emitted", emitted, "the orders asked for, in the code for x86-64 and AArch64, as a table (10 seconds)"),
    ("litmus", litmus, "what two threads see on this machine, every outcome counted (30 seconds, --rounds N)"),
)


def _seconds(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(",") if part)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m dev", description="Automation of the byteor repository.")
    tasks = top.add_subparsers(metavar="TASK", required=True)
    for name, function, text in TASKS:
        one = tasks.add_parser(name, help=text, description=text)
        one.set_defaults(task=function)
        if name == "gen":
            one.add_argument("--check", action="store_true", help="write nothing; fail when a file is out of date")
        if name == "fuzz":
            one.add_argument("--seconds", type=float, default=60.0, help="how long, over all forms")
            one.add_argument("--inputs", type=int, help="how many instead: such a run can be repeated")
            one.add_argument("--seed", type=int, default=1, help="where the choices begin")
            one.add_argument("--coverage", action="store_true", help="led by coverage, one form: needs atheris")
            one.add_argument(
                "--form", choices=[*fuzz.FORMS, fuzz.HEADER], default="", help="one form, or headers of regions"
            )
        if name == "perf":
            one.add_argument("families", nargs="*", metavar="FAMILY", help="P1, P2, and so on; a wrong name lists them")
            one.add_argument("--json", action="store_true", help="one JSON object on stdout")
            one.add_argument("--plot", action="store_true", help="draw build/performance.png")
            one.add_argument("--update", action="store_true", help="store the figures and write docs/performance.md")
            one.add_argument("--rounds", type=int, default=7, help="how often each contender is measured")
        if name == "stress":
            one.add_argument(
                "what", choices=["lanes", "c-peer", "plant", "reach", "ray"], help="what is put under stress"
            )
            one.add_argument("--messages", type=int, default=0, help="how many messages instead, checksummed")
            one.add_argument("--cut", type=_seconds, default=(3.0,), metavar="S,S", help="for how long links are cut")
            one.add_argument("--kills", type=int, default=100, help="how many ends are killed")
            one.add_argument("--seed", type=int, default=1, help="where the choices begin")
        if name == "studio":
            one.add_argument("--set-up", action="store_true", help="install what its tests need as well")
            one.add_argument("--pictures", action="store_true", help="write the screenshots in docs/ instead")
            one.add_argument("--measure", action="store_true", help="print how fast it loads and answers instead")
            one.add_argument("--wheels", type=Path, metavar="FOLDER", help="write the wheels of byteor and its runtime")
        if name == "watch":
            one.add_argument("--rounds", type=int, default=20, help="how many pairs of rounds")
            one.add_argument("--picture", type=Path, metavar="FILE", help="draw `byteor top` over the flights plant")
        if name == "soak":
            one.add_argument("--minutes", type=float, default=5.0, help="how long")
            one.add_argument("--seed", type=int, default=1, help="where the choices begin")
        if name == "litmus":
            one.add_argument("--rounds", type=int, default=1_000_000, help="how many of each test")
        if name in ("explore", "mutants"):
            one.add_argument("--full", action="store_true", help="the larger bounds")
    return top


if __name__ == "__main__":
    given = parser().parse_args()
    sys.exit(given.task(given))
