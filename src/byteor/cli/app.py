"""The commands, put together.

Rule 1. A command's file says what it takes and shows; what it does stands in the layers below.
Rule 2. A fault of byteor itself is a plain traceback; whatever a user can cause is a finding.
"""

from __future__ import annotations

from typing import Annotated

import typer

import byteor
from byteor.cli import cache, documents, journal, lanes, views
from byteor.cli.blame import blame
from byteor.cli.doctor import doctor
from byteor.cli.explain import explain
from byteor.cli.host import host
from byteor.cli.new import new
from byteor.cli.place import place
from byteor.cli.role import role
from byteor.cli.run import run
from byteor.cli.status import status
from byteor.cli.studio import studio
from byteor.cli.top import top
from byteor.cli.why import why_slow

app = typer.Typer(
    name="byteor",
    help="Check, lower and run pipelines: plans become specs, specs become running rings.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        print(f"byteor {byteor.__version__}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Check, lower and run pipelines: plans become specs, specs become running rings."""


app.command("new")(new)
app.command("check")(documents.check)
app.command("lower")(documents.lower)
app.command("describe")(documents.describe)
app.command("hash")(documents.hash_)
app.command("convert")(documents.convert)
app.command("diff")(views.diff)
app.command("graph")(views.graph)
app.command("schema")(views.schema)
app.command("explain")(explain)
app.command("studio")(studio)
app.command("doctor")(doctor)
app.command("run")(run)
app.command("status")(status)
app.command("top")(top)
app.command("why-slow")(why_slow)
app.command("blame")(blame)
app.command("role")(role)
app.command("host")(host)
app.command("place")(place)
app.command("lanes")(lanes.lanes)
app.command("inspect")(lanes.inspect)
app.command("rm")(lanes.rm)
app.command("tail")(lanes.tail)
app.command("replay")(journal.replay)
app.add_typer(journal.app, name="journal")
app.add_typer(cache.app, name="cache")
