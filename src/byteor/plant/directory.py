"""The folder of a plant: its manifest, its regions, and the lock that says that a supervisor lives.

Rule 1. The folder is this user's alone (0700); what is judged is the open descriptor, never the name.
Rule 2. Who has the lock is the supervisor: it alone writes the manifest, and removes the folder.
Rule 3. The manifest is written beside its name and renamed: a reader sees the old one or the new one.
Rule 4. A folder that the plant made goes with it; one that was there before stays, empty.

    with directory.create("flights", None) as held:        # X040, X043, X044 are raised as diag.Refused
        held.write(replace(held.manifest, spec=...)); held.path("lane.0"); held.remove()
    held = directory.resume("/dev/shm/byteor-flights-1f2e") # X040, X041, X042, X043
    directory.look(where), directory.listing()              # without the lock
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from byteor.diag import Diagnostic, Refused
from byteor.edges.spool import clear
from byteor.plant import findings, manifest
from byteor.plant.manifest import Manifest
from byteor.transport import files, locks, regions
from byteor.transport.header import HEADER_BYTES

PARENT = "/dev/shm"
PREFIX = "byteor-"
MANIFEST, LOCK = "manifest.json", "supervisor"
MODE = 0o700
OFFSET = 0


@dataclass(slots=True)
class Held:
    """A plant's folder, held by this process as its supervisor."""

    where: Path
    manifest: Manifest
    _owner: locks.Owner

    def path(self, name: str) -> Path:
        """The path of a file in the folder."""
        return self.where / name

    @property
    def lock(self) -> Path:
        """The file that is locked as long as the supervisor lives."""
        return self.where / LOCK

    def write(self, new: Manifest) -> None:
        """Replace the manifest."""
        _put(self.where / MANIFEST, manifest.encode(new))
        self.manifest = new

    def remove(self) -> None:
        """Take everything away, what was left beside the outputs as well, and let go."""
        self._clear(LOCK)
        self.lock.unlink()
        if self.manifest.own:
            self.where.rmdir()
        self.release()

    def spend(self, *kept: str) -> None:
        """Take all regions away, and let go: manifest and what is kept say what was here, and how it ended."""
        self.write(replace(self.manifest, generations={}))
        self._clear(LOCK, MANIFEST, *kept)
        self.release()

    def _clear(self, *kept: str) -> None:
        """Take away what was left beside the outputs, and all in the folder but what is kept."""
        for place in self.manifest.outputs.values():
            clear(place, self.manifest.token)
        for entry in list(os.scandir(self.where)):
            if entry.name in kept:
                continue
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)

    def release(self) -> None:
        """Let go, and leave everything where it is."""
        self._owner.release()

    def __enter__(self) -> Held:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


@dataclass(frozen=True, slots=True)
class Seen:
    """A plant's folder, looked at from outside; `pid` is its last supervisor's, for people to read."""

    where: Path
    manifest: Manifest
    live: bool
    pid: int


def create(name: str, where: files.Path | None = None, parent: files.Path = PARENT) -> Held:
    """Make a plant's folder, or take an empty one, and win its lock."""
    token = secrets.token_hex(4)
    path = Path(where if where is not None else Path(parent) / f"{PREFIX}{_plain(name)}-{token}")
    own = _made(path)
    _judge(path)
    if not own and (there := sorted(entry.name for entry in os.scandir(path))):
        _refuse_taken(path, there)
    with files.telling(str(path)), contextlib.ExitStack() as undone:
        if own:
            undone.callback(shutil.rmtree, path)
        _put(path / LOCK, "")
        held = Held(path, Manifest(name, token, own=own), _won(path))
        held.write(held.manifest)
        undone.pop_all()
        return held


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)[:100] or "plant"


def _made(path: Path) -> bool:
    """Make the folder; no, when there is one."""
    with files.telling(str(path)):
        try:
            os.mkdir(path, MODE)
            os.chmod(path, MODE)  # the process's mask may have taken bits away
        except FileExistsError:
            return False
        return True


def _judge(path: Path) -> None:
    """Refuse what is no folder of this user alone."""
    with files.telling(str(path)):
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        facts = os.fstat(fd)
        os.close(fd)
    if facts.st_uid != (user := os.geteuid()):
        raise Refused([findings.NOT_PRIVATE.at(str(path), f"it belongs to user {facts.st_uid}, this is user {user}")])
    if (mode := stat.S_IMODE(facts.st_mode)) != MODE:
        raise Refused([findings.NOT_PRIVATE.at(str(path), f"its permissions are {mode:04o}, not {MODE:04o}")])


def _refuse_taken(path: Path, there: list[str]) -> None:
    if LOCK in there and locks.held(path / LOCK, OFFSET):
        raise _held(path)
    known = MANIFEST in there
    help = f"`byteor run --resume {path}` continues the plant that is there" if known else "name a new folder"
    raise Refused([findings.TAKEN.at(str(path), f"it holds `{there[0]}`", help=help)])


def _held(path: Path) -> Refused:
    pid = _pid(path)
    return Refused([findings.HELD.at(str(path), f"process {pid} supervises it", help="stop it first, or wait")])


def _won(path: Path) -> locks.Owner:
    """Win the lock, and write down for people and for the roles who has it."""
    owner = locks.try_lock(path / LOCK, OFFSET)
    if owner is None:
        raise _held(path)
    pid, started = locks.this_process()
    # In place: the lock is on this very file, which a rename would leave without a name.
    (path / LOCK).write_text(json.dumps({"pid": pid, "started": started}) + "\n")
    return owner


def supervisor(lock: Path) -> tuple[int, int]:
    """Pid and start time of who last won the lock; zeros when that cannot be read."""
    try:
        data = json.loads(lock.read_text())
        return int(data["pid"]), int(data["started"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0, 0


def _pid(path: Path) -> int:
    return supervisor(path / LOCK)[0]


def resume(where: files.Path) -> Held:
    """Win the lock of a plant that was left, once its manifest and its regions have been judged."""
    held = _taken(where, _read)
    try:
        files.refuse(lost(held.where, held.manifest))
    except BaseException:
        held.release()
        raise
    return held


def take(where: files.Path) -> Held:
    """Win the lock of a plant that was left, whatever is left of it: it may have been killed as it was made."""
    return _taken(where, lambda path: _read(path) if (path / MANIFEST).exists() else Manifest("", "", own=False))


def _taken(where: files.Path, read: Callable[[Path], Manifest]) -> Held:
    path = Path(where)
    _judge(path)
    if not (path / LOCK).exists():
        raise Refused([findings.NOT_A_PLANT.at(str(path), "no plant was left there")])
    owner = _won(path)
    try:
        return Held(path, read(path), owner)
    except BaseException:
        owner.release()
        raise


def _read(path: Path) -> Manifest:
    try:
        with files.opened(str(path / MANIFEST), os.O_RDONLY) as fd:
            data = os.pread(fd, manifest.LARGEST + 1, 0)
    except Refused as refused:
        said = refused.diagnostics[0].message
        raise Refused([findings.NOT_A_PLANT.at(str(path), f"its manifest cannot be read: {said}")]) from refused
    return manifest.decode(data.decode(errors="replace"), str(path))


def lost(path: Path, known: Manifest) -> tuple[Diagnostic, ...]:
    """Which regions of the manifest are gone, or are others by now."""
    return tuple(d for name, generation in sorted(known.generations.items()) for d in _region(path / name, generation))


def _region(path: Path, generation: int) -> Iterator[Diagnostic]:
    try:
        header = regions.inspect(path).header
    except Refused as refused:
        yield findings.REGION_LOST.at(str(path), refused.diagnostics[0].message)
        return
    if header is None or header.generation != generation:
        found = header.generation if header else "none"
        yield findings.REGION_LOST.at(str(path), f"its generation is {found}, the plant's is {generation}")


def cut(path: Path, known: Manifest) -> tuple[Diagnostic, ...]:
    """Which regions of the manifest are shorter than their headers say: somebody cut them while they were mapped."""
    found = []
    for name in sorted(known.generations):
        with contextlib.suppress(Refused):  # one that is gone was not cut
            seen = regions.inspect(path / name)
            whole = seen.header.layout_bytes if seen.header else HEADER_BYTES
            if seen.size < whole:
                found.append(findings.REGION_CUT.at(str(path / name), f"it has {seen.size} bytes of {whole}"))
    return tuple(found)


class Whole:
    """The files that a supervisor has mapped: to read one that somebody cut would be its own end by SIGBUS."""

    def __init__(self, path: Path, known: Manifest) -> None:
        self._sizes = {path / name: os.stat(path / name).st_size for name in known.generations}

    def __bool__(self) -> bool:
        """Whether none was cut; one that has lost its name is still there for who has mapped it."""
        return not any(_size(path, size) < size for path, size in self._sizes.items())


def _size(path: Path, gone: int) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return gone


def look(where: files.Path) -> Seen:
    """Look at a plant's folder, whoever holds it."""
    path = Path(where)
    _judge(path)
    return Seen(path, _read(path), locks.held(path / LOCK, OFFSET), _pid(path))


def listing(parent: files.Path = PARENT) -> tuple[Seen, ...]:
    """The plants of this user under their usual names, by name."""
    return tuple(seen for path in sorted(Path(parent).glob(f"{PREFIX}*")) if (seen := _glance(path)) is not None)


def _glance(path: Path) -> Seen | None:
    """The plant in a folder; None for what is none, or is gone."""
    try:
        return look(path)
    except Refused:
        return None


def _put(path: Path, text: str) -> None:
    """Write a file whole, of this user alone."""
    part = path.with_name(f".{path.name}.part")
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, files.MODE)
    with os.fdopen(fd, "w") as file:
        os.fchmod(fd, files.MODE)
        file.write(text)
    os.replace(part, path)
