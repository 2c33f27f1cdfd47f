"""`byteor cache`: the folder of compiled loops."""

from __future__ import annotations

import typer

from byteor.cli import output
from byteor.cli.output import Json

app = typer.Typer(no_args_is_help=True, help="Look after the compiled loops that are kept between runs.")


@app.callback()
def _cache() -> None:
    """Look after the compiled loops that are kept between runs."""


@app.command()
def clear(as_json: Json = False) -> None:
    """Remove all compiled loops; the next run compiles anew."""
    from byteor.kernel.cache import clear as cleared
    from byteor.kernel.cache import folder

    where = folder()
    with output.told(as_json):
        count, size = cleared()
    if as_json:
        output.put_json({"folder": str(where), "files": count, "bytes": size})
    else:
        print(f"{where}: {count} files removed, {size / 2**20:.1f} MiB")
