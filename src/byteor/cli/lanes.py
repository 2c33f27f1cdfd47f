"""`byteor lanes`, `byteor inspect`, `byteor rm` and `byteor tail`: regions of shared memory from outside.

Rule 1. Looking changes nothing. `tail` of a ring is a reader like any other, and says so.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from byteor.cli import output
from byteor.cli.output import Json

if TYPE_CHECKING:
    from byteor.lanes.look import Cell, Look

Folder = Annotated[
    str, typer.Option("--folder", help="Where lanes lie; else $BYTEOR_LANES, else a folder in /dev/shm.")
]
Region = Annotated[str, typer.Argument(help="The name of a lane, or the path of a region.")]


def lanes(folder: Folder = "", as_json: Json = False) -> None:
    """List the lanes there are, broken ones included."""
    from byteor.lanes import names
    from byteor.lanes.look import every

    where = folder or str(names.default_folder())
    with output.told(as_json):
        found = every(where) if os.path.isdir(where) or folder else ()
    if as_json:
        return output.put_json({"folder": where, "lanes": [_data(one) for one in found]})
    for one in found:
        print(f"{os.path.basename(one.path):<24} {one.kind:<8} {one.size:>12,} bytes  {one.state}")
    if not found:
        print(f"no lanes in {where}")


def inspect(region: Region, folder: Folder = "", as_json: Json = False) -> None:
    """Show what a region is, where its ends are, and who of them lives."""
    from byteor.lanes import names
    from byteor.lanes.look import look

    with output.told(as_json):
        seen = look(names.given(region, folder or None))
    if as_json:
        output.put_json(_data(seen))
    else:
        _show(seen)
    if seen.findings:
        if not as_json:
            output.put_findings(seen.findings, None)
        raise typer.Exit(output.FOUND)


def rm(region: Region, folder: Folder = "", as_json: Json = False) -> None:
    """Remove a region, of a journal with its segments; refused while anybody lives who has a part of it."""
    from byteor.lanes import names
    from byteor.lanes.by_name import remove

    with output.told(as_json):
        path = names.given(region, folder or None)
        remove(region, folder=folder or None)
    if as_json:
        output.put_json({"removed": str(path)})
    else:
        print(f"{path}: removed")


def tail(
    region: Region,
    folder: Folder = "",
    type: Annotated[
        str, typer.Option("--type", help="Fields of a message, as in `n:i8,px:f8`; else bytes are shown.")
    ] = "",
    limit: Annotated[int, typer.Option("--limit", help="End after so many messages; 0 is all.")] = 0,
    record: Annotated[int, typer.Option("--from", help="Of a journal, the number of the first record.")] = 0,
) -> None:
    """Print the messages of a lane as they come.

    Of events and fanout it takes a free reader's place, so they count as received. A journal is read from the
    beginning, or from a record on, and a state lane from now on, without any place.
    """
    from byteor import lanes
    from byteor.lanes.outcome import Closed, Died

    with output.told(False), lanes.open(region, _dtype(type), folder=folder or None) as lane:
        try:
            for message in itertools.islice(_messages(lane, record), limit or None):
                print(_line(message), flush=True)
        except Closed:
            return
        except Died as died:
            raise output.Failed(str(died)) from died
        except KeyboardInterrupt:
            raise typer.Exit(output.INTERRUPTED) from None


def _messages(lane: Any, record: int) -> Iterator[Any]:
    """The messages as they come; those of a ring are given back as soon as they are shown."""
    from byteor.lanes import journal, state

    if isinstance(lane, journal.Lane):
        replay = lane.replay(record)
        while True:
            yield replay.receive()
    if isinstance(lane, state.Lane):
        latest = lane.reader()
        while True:
            yield latest.get_newer()
    reader = lane.reader(name="byteor tail")
    while True:
        yield reader.receive()
        reader.release()


def _dtype(text: str) -> Any:
    import numpy as np

    if not text:
        return None
    fields = [part.partition(":")[::2] for part in text.split(",")]
    try:
        return np.dtype([(name.strip(), kind.strip()) for name, kind in fields])
    except (TypeError, ValueError) as error:
        raise output.Failed(f"--type {text!r} is no list of fields: {error}") from error


def _line(message: Any) -> str:
    if is_dataclass(message) and not isinstance(message, type):
        return json.dumps({"gap": asdict(message)})
    names = getattr(getattr(message, "dtype", None), "names", None)
    if names is None:
        return bytes(message).hex() if isinstance(message, memoryview | bytes) else message.tobytes().hex()
    return json.dumps({name: _plain(message[name]) for name in names})


def _plain(value: Any) -> Any:
    made = value.tolist()
    return made.decode("ascii", "backslashreplace") if isinstance(made, bytes) else made


def _data(seen: Look) -> dict[str, Any]:
    found = asdict(seen)
    return {**found, "state": seen.state, "findings": output.as_data(seen.findings, None)}


def _show(seen: Look) -> None:
    print(f"{seen.path}: {seen.kind}, {seen.size:,} bytes, generation {seen.generation:#x}, {seen.state}")
    if seen.capabilities:
        print(f"  capabilities  {', '.join(seen.capabilities)}")
    if seen.params:
        print(f"  shape         {', '.join(f'{name} {value}' for name, value in seen.params.items())}")
    for cell in seen.cells:
        print(f"  {_cell(cell)}")
    named = {cell.name for cell in seen.cells}
    for name, values in seen.words.items():
        if name not in named:
            print(f"  {name:<13} {', '.join(str(value) for value in values)}")
    for one in seen.segments:
        print(f"  segment {one.number:<5} {one.bytes:>12,} bytes from record {one.first}")


def _cell(cell: Cell) -> str:
    who = f"process {cell.pid}" if cell.pid else ""
    title = f" ({cell.owner})" if cell.owner else ""
    return f"{f'{cell.name} {cell.index}':<13} {cell.value:<20} {cell.state:<6} {who}{title}".rstrip()
