"""Optimised LLVM as assembly of x86-64 and of AArch64, each instruction with the site it came from.

Rule 1. LLVM emits both wherever this runs; only triple, layout and the hint for waiting differ.
Rule 2. Marks become line numbers, so that the assembly's own line table says where each instruction came from.
Rule 3. Plain loads and stores have lines of their own: order among them and the marked ones can be read off.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

import llvmlite.binding as llvm

from byteor.testing.tagged import MARK, Compiled

OTHER, STORE, LOAD, FIRST = 1, 2, 3, 10  # lines: all else, plain stores, plain loads, the first site
LEVEL = 3

_PAUSES = re.compile(r"call void @llvm\.(?:x86\.sse2\.pause\(\)|aarch64\.hint\(i32 1\))")
_MARK = re.compile(rf"!{re.escape(MARK)} (!\d+)")


@dataclass(frozen=True, slots=True)
class Target:
    """A machine to emit for."""

    name: str
    triple: str
    features: str
    pause: str
    declared: str


X86 = Target(
    "x86-64",
    "x86_64-unknown-linux-gnu",
    "",
    "call void @llvm.x86.sse2.pause()",
    "declare void @llvm.x86.sse2.pause()",
)
_HINT = ("call void @llvm.aarch64.hint(i32 1)", "declare void @llvm.aarch64.hint(i32)")
ARM = Target("AArch64", "aarch64-unknown-linux-gnu", "", *_HINT)
ARM_LSE = Target("AArch64 v8.3", "aarch64-unknown-linux-gnu", "+lse,+rcpc", *_HINT)  # with atomic adds, and ldapr
TARGETS = (X86, ARM, ARM_LSE)


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction of a function: its line, its block (counted by labels), its text."""

    line: int
    block: int
    text: str


@functools.cache
def _machine(target: Target) -> llvm.TargetMachine:
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    found = llvm.Target.from_triple(target.triple)
    return found.create_target_machine(features=target.features, opt=LEVEL, reloc="pic")


def emit(compiled: Compiled, target: Target) -> dict[str, list[Instruction]]:
    """The instructions of each function of a module, by the function's name."""
    machine = _machine(target)
    module = llvm.parse_assembly(_moved(_with_lines(compiled), target, str(machine.target_data)))
    module.verify()
    return _read(machine.emit_assembly(module))


def _moved(text: str, target: Target, layout: str) -> str:
    """The same module for another machine."""
    text = re.sub(r'^target datalayout = ".*"$', f'target datalayout = "{layout}"', text, flags=re.M)
    text = re.sub(r'^target triple = ".*"$', f'target triple = "{target.triple}"', text, flags=re.M)
    text = re.sub(r"^declare void @llvm\.(x86\.sse2\.pause|aarch64\.hint)\(.*$", "", text, flags=re.M)
    moved = _PAUSES.sub(target.pause, text)
    if target is not X86:  # an idiom of Numba's own reference counting, in which no hot function has a part
        moved = re.sub(r"@llvm\.x86\.atomic\.sub\.cc\.i64\b", "@counted_down", moved)
        moved = re.sub(r"^(declare i8 @counted_down\(.*) immarg\)", r"\1)", moved, flags=re.M)
    return f"{moved}\n{target.declared}\n"


# Marks as line numbers


def _with_lines(compiled: Compiled) -> str:
    marks = compiled.marks()
    free = 1 + max((int(n) for n in re.findall(r"^!(\d+) = ", compiled.text, re.M)), default=0)
    table = _Lines(free)
    body = "\n".join(table.all(compiled.text.splitlines(), marks))
    return body + "\n" + "\n".join(table.made) + "\n"


class _Lines:
    """Gives each instruction a location, and each function a scope for its own."""

    def __init__(self, free: int) -> None:
        self.next = free + 4
        self.unit, file, self.type, flag = (f"!{free + i}" for i in range(4))
        self.made = [
            f"!llvm.dbg.cu = !{{{self.unit}}}",
            f"!llvm.module.flags = !{{{flag}}}",
            f"{self.unit} = distinct !DICompileUnit(language: DW_LANG_C, file: {file}, emissionKind: LineTablesOnly)",
            f'{file} = !DIFile(filename: "sites", directory: "")',
            f"{self.type} = !DISubroutineType(types: !{{}})",
            f'{flag} = !{{i32 2, !"Debug Info Version", i32 3}}',
        ]
        self.file = file
        self.scope = ""
        self._at: dict[int, str] = {}

    def _new(self, text: str) -> str:
        name = f"!{self.next}"
        self.next += 1
        self.made.append(f"{name} = {text}")
        return name

    def _open(self) -> str:
        text = f'distinct !DISubprogram(name: "f", file: {self.file}, unit: {self.unit}, type: {self.type}, spFlags: '
        self._at = {}
        self.scope = self._new(text + "DISPFlagDefinition)")
        return self.scope

    def _location(self, line: int) -> str:
        if line not in self._at:
            self._at[line] = self._new(f"!DILocation(line: {line}, column: 1, scope: {self.scope})")
        return self._at[line]

    def all(self, lines: list[str], marks: dict[str, int]) -> Iterator[str]:
        """Every line of a module, with its location where it is an instruction."""
        inside = False
        for line in lines:
            if line.startswith("define "):
                inside = True
                yield f"{line.removesuffix('{')}!dbg {self._open()} {{"
            elif line == "}":
                inside = False
                yield line
            else:
                yield f"{line}, !dbg {self._location(_line(line, marks))}" if inside and _whole(line) else line


def _whole(line: str) -> bool:
    """Whether an instruction ends here; those of several lines get none."""
    return line.startswith("  ") and not line.startswith("    ") and not line.endswith("[") and line.strip() != "]"


def _line(line: str, marks: dict[str, int]) -> int:
    mark = _MARK.search(line)
    if mark:
        return FIRST + marks[mark[1]]
    if re.match(r"  store (?!atomic)(?!.*%retptr)", line):
        return STORE
    return LOAD if re.match(r"  %\S+ = load (?!atomic)", line) else OTHER


# Assembly


def _read(text: str) -> dict[str, list[Instruction]]:
    functions: dict[str, list[Instruction]] = {}
    line = block = 0
    into: list[Instruction] = []
    for raw in text.splitlines():
        code = raw.strip()
        label = re.match(r'^"?([^\s"]+?)"?:', raw)
        at = re.match(r"\.loc\s+\d+\s+(\d+)", code)
        if label and not label[1].startswith((".Lfunc_end", ".Ltmp")):
            block += 1
            if not label[1].startswith(".L"):
                into, line = functions.setdefault(label[1], []), OTHER
        elif at:
            line = int(at[1])
        elif code and code[0].isalpha():
            into.append(Instruction(line, block, re.sub(r"\s+", " ", code)))
    return {name: found for name, found in functions.items() if found}
