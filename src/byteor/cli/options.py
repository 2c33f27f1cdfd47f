"""Options that several commands have: declared once, so that they mean the same everywhere."""

from __future__ import annotations

from typing import Annotated

import typer

Inputs = Annotated[list[str] | None, typer.Option("--input", "-i", metavar="[NAME=]PATH", help="Where rows come from.")]
Outputs = Annotated[
    list[str] | None,
    typer.Option("--output", "-o", metavar="[NAME=]PATH", help="Where rows go; of a ring, NAME.end too."),
]
Wait = Annotated[str, typer.Option(help="spin, yield, backoff or block; by default what the spec says.")]
Batch = Annotated[int, typer.Option(min=1, help="The most messages that a stage takes at once.")]
Restarts = Annotated[int | None, typer.Option(min=0, metavar="N", help="Let every role of a plant come back so often.")]
Metrics = Annotated[
    int | None, typer.Option(min=0, max=65535, metavar="PORT", help="Serve metrics on the loopback; 0 is any port.")
]
LogForm = Annotated[str, typer.Option("--log", metavar="text|json", help="How it is told on stderr what happens.")]
