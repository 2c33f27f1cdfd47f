"""The fuzzer of documents: bytes are mutated, documents generated, and every answer is held against what is promised.

Rule 1. Promised is: findings or a value, never a traceback; an answer in bounded time; the same answer again; and
    what was read, written and read again is the same.
Rule 2. A seed says it all: the same seed and number of inputs, the same run.
Rule 3. An input that breaks a promise is kept below `build/fuzz`, and belongs into `tests/fuzz` once it is mended.
"""

from __future__ import annotations

import collections
import datetime
import hashlib
import importlib
import itertools
import json
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dev.steps import ROOT

FORMS = ("kv", "json", "toml", "plan-json")
HEADER = "header"  # of a region: not a document, and only when it is asked for
HEADERS = 20_000  # that many, unless told otherwise
LIMIT = 5.0  # seconds for one input: far above the slowest, so that only a hang reaches it
SLOW = (0.25, 50e-6)  # seconds for an input, and for each byte of it: slower ones are told
AGAIN = 32  # one input in so many is answered twice, rendered and compared
LONGEST = 8192
KEPT = 4000
BLOCK, GENERATED = 4000, 500  # mutated inputs, after which comes one generated for so many: they take longer to make

TOKENS = (
    b"byteor.kv=1\n kind=single_ring\n kind=lane_graph\n single_ring. lane_graph. stages.0. fields.1 .name= = . 0 1 00 "
    b"9223372036854775808 18446744073709551616 1e400 -0 0x10 1_000 NaN inf nan true false null none [] {} [[ ]] ]] }} "
    b'"" """ \'\'\' \\ \\u0000 \\ud800 \\uffff # // , : ; \t \r\n \x00 \x7f \xc3\xa9 \xff \xef\xbb\xbf \xed\xa0\x80 '
    b"1979-05-27 07:32:00 bytes(0) bytes(9999999) timestamp(ns) i64 f63 plan name target types ring stage after params "
    b"ingress egress connect merge router [types.t] [[stage]] a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q"
).split(b" ")


@dataclass
class Broken(Exception):
    """A promise that an input broke."""

    said: str


class Hung(BaseException):
    """An input took longer than the limit; nothing on the way may catch it."""


def _plane() -> Any:
    """The model plane, as one namespace of its modules."""
    sys.path.insert(0, str(ROOT / "src"))
    names = (
        "diag",
        "lower",
        "plan.document",
        "plan.toml_text",
        "spec.kv",
        "spec.rules",
        "spec.describe",
        "views.graph",
        "views.svg",
    )
    made = {name.rpartition(".")[2]: importlib.import_module(f"byteor.{name}") for name in names}
    return type("Plane", (), made)


class Judge:
    """Holds the answers to documents against what is promised."""

    def __init__(self) -> None:
        self.plane = _plane()
        kv = self.plane.kv
        self._read: dict[str, Callable[[bytes], tuple[Any, Any]]] = {
            "kv": lambda data: self._spec(kv.decode(data)),
            "json": lambda data: self._spec(kv.decode_json(data)),
            "toml": self._plan,
            "plan-json": self._plan,
        }

    def __call__(self, form: str, data: bytes, twice: bool = True) -> tuple[str, ...]:
        """Judge one input; give the codes of its findings, in order, or raise."""
        answer, findings = self._read[form](data)
        if twice:
            self._twice(form, data, answer, findings)
        return tuple(dict.fromkeys(d.code for d in findings))

    def _spec(self, read: Any) -> tuple[Any, Any]:
        if read.spec is None:
            if not self.plane.diag.errors(read.findings):
                raise Broken("no spec, and no error")
            return read, read.findings
        kv = self.plane.kv
        try:
            text = kv.encode(read.spec)
        except self.plane.diag.Refused as refused:
            return read, (*read.findings, *self.plane.rules.validate(read.spec), *refused.diagnostics)
        if kv.decode(text).spec != read.spec:
            raise Broken("read, written and read again, the spec is another")
        return read, (*read.findings, *self.plane.rules.validate(read.spec))

    def _plan(self, data: bytes) -> tuple[Any, Any]:
        document, kv = self.plane.document, self.plane.kv
        read = document.read(data)
        if read.plan is None:
            if not self.plane.diag.errors(read.findings):
                raise Broken("no plan, and no error")
            return read, read.findings
        for form in ("toml", "json"):
            if document.read(document.encode(read.plan, form)).plan != read.plan:
                raise Broken(f"written as {form} and read again, the plan is another")
        lowered = self.plane.lower.lower(read.plan)
        found = (*read.findings, *lowered.all_findings)
        if lowered.spec is None and not self.plane.diag.errors(found):
            raise Broken("not lowered, and no error")
        if lowered.spec is not None and self.plane.diag.errors(self.plane.rules.validate(lowered.spec)):
            raise Broken("lowered to a spec that is not valid")
        if lowered.spec is not None and kv.decode(kv.encode(lowered.spec)).spec != lowered.spec:
            raise Broken("lowered, written and read again, the spec is another")
        return read, found

    def _twice(self, form: str, data: bytes, answer: Any, findings: Any) -> None:
        """Answer again, and show all that can be shown of it."""
        diag = self.plane.diag
        again, found = self._read[form](data)
        value = answer.plan if hasattr(answer, "plan") else answer.spec
        other = again.plan if hasattr(again, "plan") else again.spec
        texts = [diag.render(f, a.source) + diag.to_json(f, a.source) for f, a in ((findings, answer), (found, again))]
        if texts[0] != texts[1] or value != other:
            raise Broken("the same document has two answers")
        texts[0].encode()
        if value is not None:
            self.plane.svg.svg(self.plane.graph.graph_of(value)).encode()


class Mutator:
    """Makes new inputs of old ones; those that are answered in a new way join the old ones."""

    def __init__(self, seed: int, corpus: Sequence[bytes]) -> None:
        self.random = random.Random(seed)
        self.corpus = list(corpus)
        self._seen: set[tuple[str, ...]] = set()

    def next(self) -> bytes:
        """Change the shorter of two: short inputs are more inputs."""
        pick = self.random.random
        one, two = (self.corpus[int(pick() * len(self.corpus))] for _ in "12")
        data = bytearray(one if len(one) < len(two) else two)
        for _ in range(1 + int(pick() * pick() * 6)):
            CHANGES[int(pick() * len(CHANGES))](self, data)
        return bytes(data[:LONGEST])

    def learn(self, data: bytes, codes: tuple[str, ...]) -> None:
        """Keep what was answered as nothing before it."""
        if codes not in self._seen and len(codes) < 4 and len(self.corpus) < KEPT:
            self._seen.add(codes)
            self.corpus.append(data)

    def at(self, data: bytearray) -> int:
        return int(self.random.random() * (len(data) + 1))

    def flip(self, data: bytearray) -> None:
        if data:
            data[self.at(data) - 1] ^= 1 << int(self.random.random() * 8)

    def put(self, data: bytearray) -> None:
        at = self.at(data)
        data[at:at] = TOKENS[int(self.random.random() * len(TOKENS))]

    def instead(self, data: bytearray) -> None:
        """A token for the word that stands there."""
        at = self.at(data)
        end = at
        while end < len(data) and chr(data[end]).isalnum():
            end += 1
        data[at:end] = TOKENS[int(self.random.random() * len(TOKENS))]

    def cut(self, data: bytearray) -> None:
        at = self.at(data)
        del data[at : at + 1 + int(self.random.random() ** 4 * 64)]

    def drop_line(self, data: bytearray) -> None:
        start, end = self._line(data)
        del data[start:end]

    def copy_line(self, data: bytearray) -> None:
        start, end = self._line(data)
        at = self._line(data)[0]
        data[at:at] = data[start:end]

    def borrow(self, data: bytearray) -> None:
        """A line of another input."""
        other = bytearray(self.corpus[int(self.random.random() * len(self.corpus))])
        start, end = self._line(other)
        at = self._line(data)[0]
        data[at:at] = other[start:end]

    def shorten(self, data: bytearray) -> None:
        del data[self.at(data) :]

    def _line(self, data: bytearray) -> tuple[int, int]:
        at = self.at(data)
        return data.rfind(b"\n", 0, at) + 1, (data.find(b"\n", at) + 1) or len(data)


CHANGES: tuple[Callable[[Mutator, bytearray], None], ...] = (
    Mutator.flip,
    Mutator.put,
    Mutator.instead,
    Mutator.cut,
    Mutator.drop_line,
    Mutator.copy_line,
    Mutator.borrow,
    Mutator.shorten,
)


@dataclass
class Tally:
    """What was seen of one form."""

    inputs: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    codes: collections.Counter[str] = field(default_factory=collections.Counter)
    sound: int = 0
    broken: list[str] = field(default_factory=list)


def corpus(form: str) -> list[bytes]:
    """What is mutated: examples, vectors, golden inputs, and past findings."""
    made = [path.read_bytes() for path in sorted((ROOT / "tests/fuzz").glob(f"*.{form}"))]
    if form == "kv":
        vectors = sorted((ROOT / "spec/vectors").glob("**/*"))
        made += [path.read_bytes() for path in vectors if path.suffix in (".kv", ".bad")]
    if form == "toml":
        made += [path.read_bytes() for path in sorted((ROOT / "examples").glob("**/*.toml"))]
    words = {"kv": "kv", "json": "json", "toml": "toml plan", "plan-json": "json plan"}[form]
    golden = importlib.import_module("tests.spec.golden")
    made += [g.given.encode() for g in map(golden.golden_of, golden.files()) if g.words == words]
    if form != "toml":
        source = {"kv": "toml", "json": "kv", "plan-json": "toml"}[form]
        made += [_in_form(_plane(), form, data) for data in corpus(source)]
    return [data for data in dict.fromkeys(made) if data and len(data) <= LONGEST]


def _in_form(plane: Any, form: str, data: bytes) -> bytes:
    """An input of another form in this one, where it says something."""
    if form == "json":
        spec = plane.kv.decode(data).spec
        return _written(plane, form, spec) if spec is not None else b""
    plan = plane.document.read(data).plan
    if plan is not None and form == "kv":
        plan = plane.lower.lower(plan).spec
    return _written(plane, form, plan) if plan is not None else b""


DIGITS = "@digits@"  # stands for an integer that Python itself would not write
ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    2**63,
    DIGITS,
    0.5,
    float("nan"),
    "",
    "x",
    "\ud800",
    "\0",
    [],
    {},
    [[]],
    [{}],
    [0],
)
ODD += ({"name": "a"}, {"": {}}, datetime.date(1979, 5, 27), datetime.time(7, 32))


def generated(form: str, seed: int) -> Iterator[bytes]:
    """Whole documents by hypothesis: values of the model's shape, written, and again with a part of them replaced."""
    made: list[Any] = []
    hypothesis = importlib.import_module("hypothesis")
    strategies = importlib.import_module("tests.strategies")
    plane, checks = _plane(), hypothesis.HealthCheck
    values = strategies.specs | strategies.valid_rings() if form in ("kv", "json") else strategies.valid_plans()
    choices = random.Random(seed)

    @hypothesis.settings(max_examples=200, database=None, deadline=None, suppress_health_check=list(checks))
    @hypothesis.given(values)
    def gather(value: Any) -> None:
        made.append(value)

    for number in range(sys.maxsize):
        hypothesis.seed(seed + number)(gather)()
        for value in made:
            yield _written(plane, form, value)
            yield _bent(plane, form, value, choices)
        made.clear()


def _written(plane: Any, form: str, value: Any) -> bytes:
    if form == "kv":
        return bytes(plane.kv.encode(value), "ascii")
    return _text(plane, form, _data(plane, form, value))


def _data(plane: Any, form: str, value: Any) -> Any:
    return plane.document.encode_data(value) if form in ("toml", "plan-json") else plane.kv.encode_data(value)


def _text(plane: Any, form: str, data: Any) -> bytes:
    text = plane.toml_text.dump(data) if form == "toml" else json.dumps(data)
    return bytes(text, "utf-8", "surrogatepass")


def _odd_text(form: str, data: Any) -> bytes:
    """Data with something odd in it, as text, whether the form has a text for it or not."""
    if form == "toml":
        text = "\n".join(f"{json.dumps(key)} = {_inline(value)}" for key, value in data.items())
    else:
        text = json.dumps(data, default=str)
    return bytes(text.replace(f'"{DIGITS}"', "1" + "0" * 5000), "utf-8", "surrogatepass")


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return json.dumps(value) if isinstance(value, str | bool) else str(value)


def _bent(plane: Any, form: str, value: Any, choices: random.Random) -> bytes:
    """The document with one of its parts replaced by an odd one; kv has texts alone, and gets a line more."""
    if form == "kv":
        line = choices.choice(plane.kv.encode(value).splitlines())
        return bytes(plane.kv.encode(value) + line.partition("=")[0] + choices.choice(("=", ".0=x", ".x=1")), "ascii")
    data = _data(plane, form, value)
    spots = list(_spots(data))
    where, key = choices.choice(spots)
    where[key] = choices.choice(ODD)
    return _odd_text(form, data)


def _spots(data: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a tree of data: what holds it, and its key or index."""
    for key in data if isinstance(data, dict) else range(len(data)):
        yield data, key
        if isinstance(data[key], dict | list):
            yield from _spots(data[key])


class Run:
    """One run over the forms asked for."""

    def __init__(self, seed: int, seconds: float, inputs: int | None, forms: Sequence[str]) -> None:
        self.seed, self.seconds, self.inputs, self.forms = seed, seconds, inputs, forms
        self.judge = Judge()
        self.tallies: dict[str, Tally] = {}

    def all(self) -> int:
        signal.signal(signal.SIGALRM, _hung)
        for form in self.forms:
            self.tallies[form] = tally = Tally()
            seconds = self.seconds / len(self.forms)
            inputs = None if self.inputs is None else self.inputs // len(self.forms)
            self._form(form, tally, seconds, inputs)
            print(_told(form, tally), flush=True)
        return int(any(tally.broken for tally in self.tallies.values()))

    def _form(self, form: str, tally: Tally, seconds: float, inputs: int | None) -> None:
        """Mutate bytes for most of the time, and generate documents for the rest."""
        mutator = Mutator(self.seed, corpus(form))
        documents = generated(form, self.seed)
        began = time.monotonic()
        left = inputs if inputs is not None else sys.maxsize
        while left > 0 and (inputs is not None or time.monotonic() - began < seconds):
            for _ in range(min(left, BLOCK)):
                self._one(form, tally, mutator.next(), mutator)
            left -= min(left, BLOCK)
            for data in itertools.islice(documents, min(left, BLOCK // GENERATED)):
                self._one(form, tally, data, mutator)
                left -= 1
        tally.seconds = time.monotonic() - began

    def _one(self, form: str, tally: Tally, data: bytes, mutator: Mutator) -> None:
        tally.inputs += 1
        began = time.perf_counter()
        signal.setitimer(signal.ITIMER_REAL, LIMIT)
        try:
            codes = self.judge(form, data, tally.inputs % AGAIN == 0)
        except (Exception, Hung) as error:  # noqa: BLE001 whatever it is, it is what is looked for
            signal.setitimer(signal.ITIMER_REAL, 0)
            tally.broken.append(_kept(form, data, error))
            return
        signal.setitimer(signal.ITIMER_REAL, 0)
        took = time.perf_counter() - began
        tally.slowest = max(tally.slowest, took)
        if took > SLOW[0] + SLOW[1] * len(data):
            self._slow(form, tally, data)
        tally.codes.update(codes)
        tally.sound += not codes
        mutator.learn(data, codes)

    def _slow(self, form: str, tally: Tally, data: bytes) -> None:
        """Measure again by the time of the process alone: the machine may have been busy."""
        began = time.process_time()
        self.judge(form, data, False)
        took = time.process_time() - began
        if took > SLOW[0] + SLOW[1] * len(data):
            tally.broken.append(_kept(form, data, Broken(f"took {took:.2f} s for {len(data)} bytes")))


def _hung(number: int, frame: Any) -> None:
    raise Hung(f"no answer after {LIMIT:.0f} s")


def _kept(form: str, data: bytes, error: BaseException) -> str:
    """Keep a breaking input, and say where it is; the place of the error names it, so that each is kept once."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    said = f"{type(error).__name__}: {error.said if isinstance(error, Broken) else error} at {where}"
    name = hashlib.sha256(f"{type(error).__name__} {where}".encode()).hexdigest()[:12]
    path = ROOT / "build/fuzz" / f"{name}.{form}"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.stat().st_size > len(data):
        path.write_bytes(data)
        print(f"  broken: {path.relative_to(ROOT)}: {said[:200]}", flush=True)
    return name


def _told(form: str, tally: Tally) -> str:
    """One form's figures."""
    rate = tally.inputs / tally.seconds if tally.seconds else 0.0
    head = f"{form:<10} {tally.inputs:>10,} inputs  {rate:>8,.0f}/s  {tally.sound:,} without findings"
    head += f"  slowest {tally.slowest * 1e3:.1f} ms  {len(tally.broken)} broken"
    codes = [f"{code} {count:,}" for code, count in sorted(tally.codes.items())]
    rows = ["  " + "  ".join(codes[i : i + 8]) for i in range(0, len(codes), 8)]
    return "\n".join([head, *rows])


def by_coverage(seconds: float, seed: int, form: str) -> int:
    """Let atheris lead, by the lines that an input reaches; it ends this process when it is done."""
    try:
        atheris = importlib.import_module("atheris")
    except ModuleNotFoundError:
        print("no atheris here: pip install atheris", file=sys.stderr)
        return 2
    with atheris.instrument_imports(include=["byteor"]):
        judge = Judge()
    folder = ROOT / "build/fuzz" / f"corpus-{form}"
    folder.mkdir(parents=True, exist_ok=True)
    for data in corpus(form):
        (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    limits = [f"-max_total_time={seconds:.0f}", f"-max_len={LONGEST}", f"-timeout={LIMIT:.0f}"]
    kept = [f"-seed={seed}", f"-artifact_prefix={folder.parent}/", "-print_final_stats=1", str(folder)]
    atheris.Setup([sys.argv[0], *limits, *kept], lambda data: judge(form, data, False) and None)
    atheris.Fuzz()
    return 0


def headers(inputs: int, seed: int) -> int:
    """Look at, open and use lanes whose headers are bent at random; 1 when one was no finding and no lane."""
    sys.path.insert(0, str(ROOT / "src"))
    corrupt = importlib.import_module("byteor.testing.corrupt")
    signal.signal(signal.SIGALRM, _hung)
    tally = Tally()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="byteor-fuzz-", dir="/dev/shm") as folder:
        for number, raw in zip(range(inputs), corrupt.bent_headers(Path(folder), seed), strict=False):
            started = time.perf_counter()
            signal.setitimer(signal.ITIMER_REAL, LIMIT)
            try:
                tally.codes.update(corrupt.held_to(Path(folder), raw))
            except (Exception, Hung) as error:  # noqa: BLE001 whatever it is, it is what is looked for
                tally.broken.append(_kept(HEADER, raw, error))
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            tally.inputs, tally.slowest = number + 1, max(tally.slowest, time.perf_counter() - started)
    tally.seconds, tally.sound = time.monotonic() - began, tally.codes["opened"]
    print(_told(HEADER, tally), flush=True)
    return int(bool(tally.broken))


def fuzz(seconds: float, inputs: int | None, seed: int, form: str) -> int:
    """Run, and tell what was seen; 1 when a promise was broken."""
    print(f"seed {seed}", flush=True)
    if form == HEADER:
        return headers(inputs or HEADERS, seed)
    return Run(seed, seconds, inputs, [form] if form else FORMS).all()
