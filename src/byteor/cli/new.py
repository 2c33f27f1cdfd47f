"""`byteor new`: a project that runs.

Rule 1. What is written passes `byteor check --strict --resolve` and runs as its README says.
Rule 2. Nothing that is there already is written over.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from byteor import diag
from byteor.cli import output
from byteor.cli.output import Json
from byteor.exec import findings as x

PLAN = """plan = 2
name = "ticks"
target = "single_ring"

[types.tick]
symbol = "bytes(4)"
price = "f64"
size = "i64"
value = "f64"

[types.total]
symbol = "bytes(4)"
trades = "i64"
value = "f64"

[ring]
type = "tick"
capacity = 1024

[[ingress]]
name = "in"

[[stage]]
name = "value"
call = "stages:value"
reads = ["price", "size"]
writes = ["value"]
min_out = 0

[[stage]]
name = "totals"
call = "stages:totals"
after = ["value"]
compiled = false
reads = ["symbol", "value"]
writes = []
state = { type = "total", by = ["symbol"], max = 64 }
end = "total"

[[egress]]
name = "out"
emit = "end"
sort = ["symbol"]
"""

STAGES = '''"""The stages of the pipeline: plain functions, which tests can call."""

import byteor


def value(tick):
    """What a trade is worth; trades of no size are filtered. Compiled."""
    if tick.size == 0:
        return False
    tick.value = tick.price * tick.size
    return True


@byteor.stage
def totals(tick, state):
    """Count and sum, per symbol. Plain Python: `state` is the record of the tick's symbol."""
    state.trades += 1
    state.value += tick.value


@totals.end
def totals_end(out, state):
    """Hand the records over when the input has ended."""
    out[: len(state)] = state
    return len(state)
'''

DATA = """symbol,price,size
AAA,10.5,100
BBB,20.25,40
AAA,10.75,0
CCC,5.0,200
BBB,20.5,10
"""

README = """# {name}

    byteor check --resolve plan.toml
    byteor run plan.toml --input data.csv --output totals.csv

`plan.toml` says what flows and in which order, `stages.py` holds the functions.
`byteor describe plan.toml` shows what will run.
"""


def new(
    folder: Annotated[Path, typer.Argument(help="The folder to make.")],
    as_json: Json = False,
) -> None:
    """Make a folder with a pipeline that runs."""
    with output.told(as_json):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            message = f"`{folder}` is there and not empty"
            raise diag.Refused([x.RUN_OPTION.at("folder", message, help="choose another folder")])
        written = write(folder)
    if as_json:
        output.put_json({"status": "done", "folder": str(folder), "files": written})
    else:
        print(f"{folder}: {', '.join(written)}")
        print(f"next: cd {folder} && byteor run plan.toml --input data.csv --output totals.csv")


def write(folder: Path) -> list[str]:
    """Write the project's files; answer with their names."""
    texts = {"plan.toml": PLAN, "stages.py": STAGES, "data.csv": DATA, "README.md": README}
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text.replace("{name}", folder.resolve().name))
    return list(texts)
