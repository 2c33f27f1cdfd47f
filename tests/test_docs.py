"""Every example of the documentation runs, as a reader would run it.

Rule 1. Per page, blocks run in order in one empty folder; Python blocks share one namespace.
Rule 2. `toml`, `csv` and `python` blocks that open with `# file: NAME` are written to that file,
        without that line.
Rule 3. A `text` block that follows a Python block is what that block prints.
Rule 4. In a `console` block each `$ ` line is run, and what is shown below it is what it prints;
        `...` stands for any run of characters, alone on a line for any lines.
Rule 5. `sh` blocks are not run: they set a machine up, or stand for the reader's own files.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").rglob("*.md"))]
LONG = {"reach.md"}  # a dozen commands, and `tests/place` runs what they run
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"\A# file: (\S+)\n")


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text, and the line of the page where its text begins."""

    language: str
    text: str
    line: int


def blocks(page: str) -> list[Block]:
    return [Block(m[1], m[2], page.count("\n", 0, m.start(2)) + 1) for m in FENCE.finditer(page)]


def matches(shown: str, printed: str) -> bool:
    """Whether `printed` is what is `shown`, in which `...` stands for anything."""
    rows = [
        r"(?:.*\n)*" if row == "..." else re.escape(row).replace(r"\.\.\.", ".*") + r"\n"
        for row in shown.strip().splitlines()
    ]
    return re.fullmatch("".join(rows), "".join(row.rstrip() + "\n" for row in printed.strip().splitlines())) is not None


def commands(text: str) -> list[tuple[str, str]]:
    """The commands of a console block, each with the output that is shown for it."""
    parts = re.split(r"(?m)^\$ ", text)
    assert not parts[0].strip(), "a console block begins with a command"
    return [(command, shown) for part in parts[1:] for command, _, shown in [part.partition("\n")]]


def run_console(block: Block, folder: Path) -> None:
    places = [str(Path(sys.executable).parent), os.environ["PATH"]]
    env = {**os.environ, "PATH": os.pathsep.join(places), "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    for command, shown in commands(block.text):
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=folder,
            env=env,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        said = f"line {block.line}: `{command}` answered {done.returncode} and printed:\n{done.stdout}"
        assert done.returncode == 0 or "error[" in shown, said
        assert not shown.strip() or matches(shown, done.stdout), said


def run_python(block: Block, names: dict[str, Any], page: Path) -> str:
    code = compile("\n" * (block.line - 1) + block.text, str(page), "exec")
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(code, names)
    return printed.getvalue()


def run_page(page: Path, folder: Path) -> int:
    """Run a page's blocks; answer how many were run or written."""
    found = blocks(page.read_text())
    names: dict[str, Any] = {"__name__": "example"}
    done = 0
    for block, after in itertools.zip_longest(found, found[1:]):
        if named := NAMED.match(block.text):
            (folder / named[1]).write_text(block.text[named.end() :])
        elif block.language == "python":
            printed = run_python(block, names, page)
            if after is not None and after.language == "text":
                assert matches(after.text, printed), f"line {block.line}: printed:\n{printed}"
        elif block.language == "console":
            run_console(block, folder)
        else:
            continue
        done += 1
    return done


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=pytest.mark.stress if page.name in LONG else ()) for page in PAGES],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_examples_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    run_page(page, tmp_path)


def test_every_block_has_a_language_that_is_known() -> None:
    known = {"python", "console", "toml", "csv", "text", "sh", "json"}
    assert {block.language for page in PAGES for block in blocks(page.read_text())} <= known


PAGE = """
```toml
# file: a.toml
x = 1
```

```python
import tomllib
print(tomllib.load(open("a.toml", "rb"))["x"] + 1)
```

```text
2
```

```console
$ echo one two
one ...
$ true
```
"""


def test_a_page_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "page.md").write_text(PAGE)
    monkeypatch.chdir(tmp_path)
    assert run_page(tmp_path / "page.md", tmp_path) == 3


@pytest.mark.parametrize(("right", "wrong"), [("\n2\n", "\n3\n"), ("one ...", "six ..."), ("$ true", "$ false")])
def test_a_wrong_page_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, right: str, wrong: str) -> None:
    (tmp_path / "page.md").write_text(PAGE.replace(right, wrong))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AssertionError):
        run_page(tmp_path / "page.md", tmp_path)
