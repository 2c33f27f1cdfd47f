"""Questions as JSON texts, answers as JSON texts, the same as the command's `--json`.

Rule 1. It translates and never decides: each question is a function, its keyword arguments are the keys of its request.
Rule 2. Nothing crosses but text, so that no proxy of a Python object lives on the other side.
Rule 3. A request is hostile: its size and depth are judged before anything is parsed, and nothing raises.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from byteor import answers, diag
from byteor.answers.shapes import (
    Checked,
    Compared,
    Converted,
    Described,
    Drawn,
    Explained,
    Hashed,
    Page,
    Pages,
    Structs,
    Tree,
    Version,
)
from byteor.lower import examine
from byteor.lower.examine import Examined
from byteor.spec import json_text
from byteor.web import findings as w

MAX_REQUEST = 4 << 20  # characters: a larger document would keep a page waiting for many seconds

CALLS: dict[str, Callable[[str], str]] = {}
SIGNATURES: dict[str, inspect.Signature] = {}


def _question(function: Callable[..., Any]) -> Callable[[str], str]:
    """Let a function be asked by a JSON text, and answer with one."""
    name = function.__name__.rstrip("_")
    SIGNATURES[name] = inspect.signature(function, eval_str=True)

    def asked(request: str) -> str:
        try:
            return answers.text(function(**_given(name, request)))
        except diag.Refused as e:
            return answers.text(answers.refused(e.diagnostics, e.source))

    asked.__name__, asked.__doc__ = function.__name__, function.__doc__
    CALLS[name] = asked
    return asked


def _given(name: str, request: str) -> dict[str, Any]:
    """The keyword arguments that a request holds."""
    if len(request) > MAX_REQUEST:
        message = f"the request has {len(request)} characters, the limit is {MAX_REQUEST}"
        raise diag.Refused([w.TOO_LARGE.at("", message, help="use the command line for it")])
    known = SIGNATURES[name].parameters
    data = _parsed(request)
    help = f"`{name}` takes {', '.join(f'`{key}`' for key in known)}" if known else f"`{name}` takes no keys"
    if not isinstance(data, dict):
        raise diag.Refused([w.BAD_REQUEST.at("", "the request is not a JSON object", help=help)])
    found = [w.BAD_REQUEST.at(key, "the key is not known", help=help) for key in data if key not in known]
    for key, wanted in known.items():
        if key not in data and wanted.default is wanted.empty:
            found.append(w.BAD_REQUEST.at(key, "the key is missing", help=help))
        elif key in data and type(data[key]) is not wanted.annotation:
            found.append(w.BAD_REQUEST.at(key, f"the value is no {wanted.annotation.__name__}", help=help))
    if found:
        raise diag.Refused(diag.in_order(found))
    return data


def _parsed(request: str) -> Any:
    """A request's data; None where it is no sound JSON. Depth comes first: the parser itself would not survive it."""
    if json_text.too_deep(request) is not None:
        return None
    try:
        return json.loads(request)
    except ValueError:
        return None


@lru_cache(maxsize=4)
def _examined(document: bytes) -> Examined:
    return examine.examine(document, "document")


def _seen(document: str) -> Examined:
    """Judge a document as the file that it would be; the questions of one moment are about the same one."""
    return _examined(document.encode("utf-8", "surrogatepass"))


@_question
def check(document: str, profile: str = "", strict: bool = False) -> Checked:
    """Judge a plan or a spec, and say everything that is found."""
    return answers.check(_seen(document), profile, strict)


@_question
def lower(document: str, explain: bool = False) -> Tree | Explained:
    """The spec of a plan as a tree, or with `explain` what lowering decided."""
    seen = _seen(document)
    return answers.explained(seen) if explain else answers.lower(seen)


@_question
def convert(document: str, to: str = "kv") -> Converted:
    """Write a plan or a spec as a spec, `to` kv or json."""
    return answers.convert(_seen(document), to)


@_question
def describe(document: str) -> Described:
    """Say in words what a plan or a spec lays out and runs."""
    return answers.describe(_seen(document))


@_question
def hash_(document: str) -> Hashed:
    """The SHA-256 of the spec's canonical bytes."""
    return answers.hash_(_seen(document))


@_question
def diff(old: str, new: str) -> Compared:
    """Say what differs between two specs."""
    return answers.diff(_seen(old), _seen(new))


@_question
def graph(document: str, format: str = "svg", top_down: bool = False, plan: bool = False) -> Drawn:
    """Draw a plan or a spec, with the lines of its parts."""
    return answers.graph(_seen(document), format, top_down, plan)


@_question
def explain(code: str = "") -> Page | Pages:
    """The page of a code; those of all codes where none is named."""
    return answers.explain(code) if code else answers.codes()


@_question
def schema(header: str = "") -> Tree | Structs:
    """The JSON Schema of plans, or the C structs of the document in `header`."""
    return answers.structs(_seen(header)) if header else answers.schema()


@_question
def version() -> Version:
    """The version of byteor."""
    return answers.version()


def call(name: str, request: str) -> str:
    """Ask by name: what a worker is told to do."""
    if name in CALLS:
        return CALLS[name](request)
    found = w.BAD_REQUEST.at("", f"there is no question `{name[:60]}`", help=f"ask one of {', '.join(CALLS)}")
    return answers.text(answers.refused([found], None))
