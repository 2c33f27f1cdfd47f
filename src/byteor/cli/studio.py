"""`byteor studio`: the studio in a browser, from this installation's own files, with the network off.

Rule 1. It serves this machine alone, and ends with Ctrl-C.
"""

from __future__ import annotations

from typing import Annotated

import typer

from byteor.cli import output

PORT = 8337  # always the same: what a browser keeps belongs to one address


def studio(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to listen; 0 is any port that is free.")] = PORT,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser; the address is printed.")] = False,
) -> None:
    """Write plans in a browser: findings as you type, the graph, the spec; nothing leaves this machine."""
    from byteor.web import serve

    with output.told(False), serve.server(port) as made:
        address = f"http://{serve.ADDRESS}:{made.server_address[1]}/"
        print(f"byteor studio: {address}  (Ctrl-C ends it)", flush=True)
        if not no_browser:
            _open(address)
        try:
            made.serve_forever()
        except KeyboardInterrupt:
            print()


def _open(address: str) -> None:
    import webbrowser

    if not webbrowser.open(address):
        print("no browser could be opened: open the address by hand", flush=True)
