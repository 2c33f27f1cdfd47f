"""Whether compiled hot functions keep the orders that their source asks for, down to the instruction.

Rule 1. Per place in the source: the operation is there (inlining may copy it), and nowhere weaker than asked.
Rule 2. Seen in the optimised LLVM, and in the instructions for x86-64 and for AArch64.
Rule 3. Every operation in the kernel's source is looked at: one that no entry compiles is a finding.
Rule 4. What comes before a release in the source comes before it in the instructions, so that a death
        between the two leaves payload without a cursor, never a cursor without payload.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from byteor.testing.entries import BEFORE_DEATH, ENTRIES, compiled, kernel_sites
from byteor.testing.lift import OPERATIONS
from byteor.testing.tagged import MARK, Compiled, Site, Tree
from byteor.testing.targets import FIRST, STORE, TARGETS, X86, Instruction, Target, emit

_AS_STRONG = {
    "relaxed": "monotonic acquire release acq_rel seq_cst",
    "acquire": "acquire acq_rel seq_cst",
    "release": "release acq_rel seq_cst",
    "acq_rel": "acq_rel seq_cst",
    "seq_cst": "seq_cst",
}
_LLVM = {
    "load": "load atomic ",
    "store": "store atomic ",
    "add": "atomicrmw add ",
    "exchange": "atomicrmw xchg ",
    "cas": "cmpxchg ",
    "fence": "fence ",
    "pause": r"call void @llvm\.",
}

# What an operation must be among the instructions; where there is no entry it needs none.
_IN_PLACE = r"^(add|sub|inc|dec)\w* .*\)$"
_X86 = {
    ("load", "relaxed"): r"^(?!lea)\w+ .*\(",
    ("load", "acquire"): r"^(?!lea)\w+ .*\(",  # every load acquires
    ("store", "relaxed"): rf"^mov\w* .*\)$|{_IN_PLACE}",
    ("store", "release"): r"^mov\w* .*\)$",  # every store releases
    ("add", "acq_rel"): r"^lock ",
    ("exchange", "acq_rel"): r"^(lock |xchg)",
    ("cas", "acq_rel"): r"^lock ",
    ("fence", "seq_cst"): r"^(lock |mfence)",
    ("pause", ""): r"^pause",
}
_ARM = {
    ("load", "relaxed"): r"^ld",
    ("load", "acquire"): r"^lda(r|pu?r) ",
    ("store", "relaxed"): r"^st",
    ("store", "release"): r"^stlu?r ",
    ("add", "acq_rel"): r"(?s)^ldaddal |^ldaxr .*^stlxr ",
    ("exchange", "acq_rel"): r"(?s)^swpal |^ldaxr .*^stlxr ",
    ("cas", "acq_rel"): r"(?s)^casal |^ldaxr .*^stlxr ",
    ("fence", "acquire"): r"^dmb ish(ld)?$",
    ("fence", "release"): r"^dmb ish$",
    ("fence", "seq_cst"): r"^dmb ish$",
    ("pause", ""): r"^yield",
}
_X86_MEMORY, _ARM_MEMORY = r"^(?!lea)\w+ .*\((?!%rsp)", r"^(ld|st|swp|cas)\w* (?!.*\[sp)"  # not on the stack


@dataclass(frozen=True, slots=True)
class Seen:
    """One place in the source, and what became of it: in LLVM, and per target in runs of instructions."""

    site: Site
    llvm: tuple[str, ...]
    machine: dict[str, tuple[str, ...]]

    @property
    def asked(self) -> tuple[str, str]:
        """Kind and order."""
        return OPERATIONS[self.site.operation]


def look(what: Compiled) -> list[Seen]:
    """Find each operation of a compiled function again."""
    marks = what.marks()
    texts: dict[int, list[str]] = {number: [] for number in what.asked}
    for text, mark in re.findall(rf"^  (.*), !{re.escape(MARK)} (!\d+)", what.text, re.M):
        texts[marks[mark]].append(text)
    runs = {target.name: _runs(emit(what, target)) for target in TARGETS}
    return [
        Seen(site, tuple(texts[n]), {t: tuple(found.get(n, ())) for t, found in runs.items()})
        for n, site in what.asked.items()
    ]


def _runs(functions: dict[str, list[Instruction]]) -> dict[int, list[str]]:
    """Neighbouring instructions of one place are one text."""
    found: dict[int, list[str]] = {}
    for body in functions.values():
        before = -1
        for instruction in body:
            texts = found.setdefault(instruction.line - FIRST, [])
            if instruction.line == before:
                texts[-1] += f"\n{instruction.text}"
            else:
                texts.append(instruction.text)
            before = instruction.line
    return found


# Judging


def judge(seen: Iterable[Seen]) -> Iterator[str]:
    """Say what is missing or weaker than asked."""
    seen = list(seen)
    in_place = {(s.site.module, s.site.line) for s in seen if any(_matches(_IN_PLACE, t) for t in s.machine[X86.name])}
    for one in seen:
        yield from (f"{one.site}: {fault} in LLVM" for fault in _judge_llvm(one))
        for target in TARGETS:
            if target is X86 and one.asked == ("load", "relaxed") and (one.site.module, one.site.line) in in_place:
                continue  # a counter of one's own: loaded, counted and stored by one instruction
            yield from (f"{one.site}: {fault} for {target.name}" for fault in _judge_machine(one, target))


def _wanted(one: Seen, target: Target) -> str | None:
    return (_X86 if target is X86 else _ARM).get(one.asked)


def _judge_llvm(one: Seen) -> Iterator[str]:
    kind, order = one.asked
    if not one.llvm:
        yield "missing"
    for text in one.llvm:
        found = re.search(_LLVM[kind], text)
        orders = re.findall(r" (monotonic|acquire|release|acq_rel|seq_cst)\b", text)
        if not found or (order and orders[0] not in _AS_STRONG[order].split()):
            yield f"`{text}`"


def _judge_machine(one: Seen, target: Target) -> Iterator[str]:
    wanted = _wanted(one, target)
    if wanted is None:
        return
    texts, memory = one.machine[target.name], _X86_MEMORY if target is X86 else _ARM_MEMORY
    if not any(_matches(wanted, text) for text in texts):
        yield "missing"
    for text in texts:  # those that touch no memory, or only the stack, come of register allocation
        if _matches(memory, text) and not _matches(wanted, text):
            yield f"`{text}`"


def _matches(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.M) is not None


def judge_order(what: Compiled, target: Target, payload: int = 2) -> Iterator[str]:
    """Say how stores of payload and the release after them are out of order."""
    releases = {n + FIRST for n, site in what.asked.items() if site.operation == "store_release"}
    stores = [i for body in emit(what, target).values() for i in body if _stores(i, target)]
    published = [n for n, i in enumerate(stores) if i.line in releases]
    if len(published) != 1:
        yield f"{what.name}: {len(published)} releases for {target.name}"
        return
    at = published[0]
    before = sum(_words(i) for i in stores[:at] if i.line == STORE and i.block == stores[at].block)
    if before != payload or any(i.line == STORE for i in stores[at:]):
        yield f"{what.name}: {before} of {payload} payload stores before the release for {target.name}"


def _stores(instruction: Instruction, target: Target) -> bool:
    return _matches(r"^mov\w* .*\)$" if target is X86 else "^st", instruction.text)


def _words(instruction: Instruction) -> int:
    return 2 if instruction.text.startswith("stp ") else 1


# The table


def report() -> int:
    """Print function, orders asked and what was found for each; 1 when anything is missing or weaker."""
    tree, faults, looked = Tree(), [], set()
    _say(f"{'function':25} {'asked':15} places  {'LLVM':>5}  " + "  ".join(f"{t.name:30}" for t in TARGETS))
    for name in ENTRIES:
        seen = look(compiled(name, tree))
        looked |= {(s.site.module, s.site.line, s.site.operation) for s in seen}
        faults += [f"{name}: {fault}" for fault in judge(seen)]
        for operation in sorted({s.site.operation for s in seen}):
            _say(_row(name, operation, [s for s in seen if s.site.operation == operation]))
            name = ""
    for name, (function, args) in BEFORE_DEATH.items():
        faults += [fault for target in TARGETS for fault in judge_order(tree(function, *args), target)]
        _say(f"{name:25} payload stored before the release, in one block")
    faults += [f"{m}:{line} {name}: no entry compiles it" for m, line, name in sorted(kernel_sites() - looked)]
    _say("\n".join(faults) or f"{len(looked)} places in the source: all there, none weaker than asked")
    return int(bool(faults))


def _row(name: str, operation: str, seen: list[Seen]) -> str:
    columns = "  ".join(f"{_mnemonics(seen, target):30}" for target in TARGETS)
    return f"{name:25} {operation:15} {len(seen):6}  {sum(len(s.llvm) for s in seen):5}  {columns}".rstrip()


def _mnemonics(seen: list[Seen], target: Target) -> str:
    """What an operation has become, and how often."""
    wanted = _wanted(seen[0], target)
    if wanted is None:
        return "needs none"
    texts = [text for one in seen for text in one.machine[target.name] if _matches(wanted, text)]
    found = Counter("+".join(_names(text, wanted)) for text in texts)
    return ", ".join(f"{name} {n}" for name, n in found.most_common())


def _names(text: str, wanted: str) -> Iterator[str]:
    """The instructions of a run that make the operation, by name."""
    alone = wanted if wanted.startswith("^") else r"^(ldaxr|stlxr|ldaddal|swpal|casal) "
    for line in text.split("\n"):
        if _matches(alone, line):
            yield line if line.startswith("dmb") else " ".join(line.split()[: 1 + line.startswith("lock")])


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
