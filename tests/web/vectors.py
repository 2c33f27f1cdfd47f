"""The vectors of the boundary: documents of every kind, sound and broken, and all that is asked of them.

Rule 1. The same requests everywhere, so that any two Pythons can be held against each other by their answers' bytes.
Rule 2. As a script, `vectors.py FILE` answers the requests that FILE holds; that needs the package alone.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
Request = tuple[str, str]

HOSTILE = {
    "deep json": "[" * 100_000,
    "deep object": '{"a":' * 100_000,
    "deep toml": "a = " + "[" * 100_000,
    "deep kv": "byteor.kv=1\n" + ".".join("a" * 1 for _ in range(1000)) + "=1\n",
    "lone surrogate": 'plan = 2\nname = "\ud800"\n',
    "lone surrogate in json": '{"plan": 2, "name": "\\ud800"}',
    "nan": '{"plan": 2, "name": NaN}',
    "infinity": "plan = 2\nname = inf\n",
    "mark": "\ufeffplan = 2\n",
    "zero": "plan = 2\n\0",
    "returns": 'plan = 2\r\nname = "a"\r\n',
    "empty": "",
    "blank": " \n\t\n",
    "long number": "plan = 1" + "0" * 5000,
    "long line": "#" * (2 << 20),
    "many lines": "x = 1\n" * 20_000,
    "names": 'plan = 2\nname = "<img src=x onerror=alert(1)>"\ntarget = "</script><script>alert(1)</script>"\n',
    "not a language": "\u202e\u0000\uffff\U0010ffff" * 100,
}


def documents() -> dict[str, str]:
    """Every document of the repository, and hostile ones."""
    from tests.spec.golden import files, golden_of

    found = {path.parent.name: path.read_text() for path in sorted(ROOT.glob("examples/**/*.toml"))}
    found |= {path.name: path.read_bytes().decode("latin-1") for path in sorted(ROOT.glob("spec/vectors/*.*[!6]"))}
    goldens = {path.stem: golden_of(path) for path in files()}
    found |= {name: golden.given for name, golden in goldens.items() if not golden.words.startswith("python")}
    return found | HOSTILE


def requests() -> list[Request]:
    """All that is asked: every question of every document, every code, and some differences."""
    from byteor.cli.explain import rules

    found: list[Request] = []
    texts = documents()
    for text in texts.values():
        found += [(name, json.dumps({"document": text, **more})) for name, more in QUESTIONS]
    sound = [text for name, text in texts.items() if name.endswith(".kv") or name in ("flights", "ticks")]
    found += [("diff", json.dumps({"old": one, "new": two})) for one in sound for two in sound]
    found += [("explain", json.dumps({"code": code})) for code in [*rules(), "s045", "rase", "race", "", "S999"]]
    found += [("schema", "{}"), ("schema", json.dumps({"header": sound[0]})), ("version", "{}")]
    return found + [(name, request) for name in ("check", "version", "nonsense") for request in BAD]


QUESTIONS = (
    ("check", {}),
    ("check", {"profile": "v1", "strict": True}),
    ("lower", {}),
    ("lower", {"explain": True}),
    ("convert", {}),
    ("convert", {"to": "json"}),
    ("describe", {}),
    ("hash", {}),
    ("graph", {}),
    ("graph", {"top_down": True, "plan": True}),
    ("graph", {"format": "mermaid"}),
)
BAD = ("", "[]", "null", "[" * 100_000, '{"document": 1}', '{"document": "", "documen": ""}', "\ud800", "{}", "NaN")


def answer(path: str) -> None:
    """Print the answers to the requests of a file."""
    from byteor import web

    asked = json.loads(Path(path).read_text())
    print(json.dumps([web.call(name, request) for name, request in asked]))


if __name__ == "__main__":
    answer(sys.argv[1])
