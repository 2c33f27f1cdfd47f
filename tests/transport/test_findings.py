"""Every T code has a trigger, and each trigger has that code alone."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from byteor import diag
from byteor.diag import Refused
from byteor.transport import findings, locks, regions
from byteor.transport.header import Header, Wanted
from tests.transport.support import (
    BYTES,
    HEADER,
    WANTED,
    as_nobody,
    as_root,
    code_of,
    fill,
    in_child,
    make,
)

ROOT = Path(__file__).resolve().parents[2]


def opening(path: Path, wanted: Wanted = WANTED) -> Callable[[], object]:
    return lambda: regions.open(path, wanted, wait=0)


def edited(path: Path, offset: int, value: bytes) -> Path:
    make(path)
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(value)
    return path


def u32(value: int) -> bytes:
    return value.to_bytes(4, sys.byteorder)


def not_linux(folder: Path) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "platform", "darwin")
        return code_of(lambda: make(folder / "a"))


def bad_path(folder: Path) -> str:
    paths = [f"{folder}/", "", ".", f"{folder}/..", f"{folder}/a\0b", f"{folder}/\ud800", f"{folder}/{'n' * 300}"]
    (code,) = {code_of(work) for path in paths for work in (lambda: regions.open(path, WANTED), lambda: make(path))}  # noqa: B023
    assert os.listdir(folder) == []
    return code


def no_folder(folder: Path) -> str:
    (folder / "file").touch()
    paths = [folder / "none" / "a", folder / "file" / "a"]
    (code,) = {code_of(work) for path in paths for work in (opening(path), lambda: make(path))}  # noqa: B023
    return code


def missing(folder: Path) -> str:
    (code,) = {
        code_of(opening(folder / "a")),
        code_of(lambda: regions.inspect(folder / "a")),
        code_of(lambda: regions.remove(folder / "a")),
        code_of(lambda: locks.try_lock(folder / "a", 0)),
        code_of(lambda: locks.held(folder / "a", 0)),
    }
    return code


def exists(folder: Path) -> str:
    (folder / "a").symlink_to("nowhere")
    assert code_of(lambda: make(folder / "a")) == "T005"
    (folder / "b").touch()
    return code_of(lambda: make(folder / "b"))


def no_permission(folder: Path) -> str:
    make(folder / "a")
    statuses = {
        in_child(as_nobody(opening(folder / "a"))),
        in_child(as_nobody(lambda: regions.remove(folder / "a"))),
        in_child(as_nobody(lambda: regions.inspect(folder / "a"))),
    }
    folder.chmod(0o755)
    statuses.add(in_child(as_nobody(lambda: make(folder / "b"))))
    folder.chmod(0o700)
    statuses.add(in_child(as_nobody(opening(folder / "a"))))
    statuses.add(in_child(as_nobody(lambda: regions.listing(folder))))
    (status,) = statuses
    return f"T{status:03}"


def no_space(folder: Path) -> str:
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (BYTES - 1, BYTES - 1))
        make(folder / "a")

    status = in_child(limited)
    assert os.listdir(folder) == []
    return f"T{status:03}"


def symlink(folder: Path) -> str:
    make(folder / "a")
    (folder / "link").symlink_to("a")
    assert code_of(lambda: regions.inspect(folder / "link")) == "T008"
    assert code_of(lambda: locks.try_lock(folder / "link", 0)) == "T008"
    return code_of(opening(folder / "link"))


def not_a_region(folder: Path) -> str:
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as endpoint:
        endpoint.bind(str(folder / "socket"))
    codes = {code_of(opening(folder / name)) for name in ("folder", "pipe", "socket")}
    codes |= {code_of(opening(Path("/dev/null"))), code_of(lambda: regions.inspect(folder / "pipe"))}
    (code,) = codes
    return code


def wrong_owner(folder: Path) -> str:
    assert in_child(as_nobody(lambda: make(folder / "a"))) == 0
    assert in_child(as_nobody(opening(folder / "a"))) == 0
    assert code_of(lambda: regions.remove(folder / "a")) == "T010"
    assert code_of(lambda: locks.held(folder / "a", 0)) == "T010"
    assert regions.listing(folder) == ()
    return code_of(opening(folder / "a"))


def wrong_mode(folder: Path) -> str:
    make(folder / "a")
    (folder / "a").chmod(0o644)
    assert code_of(lambda: locks.try_lock(folder / "a", 0)) == "T011"
    return code_of(opening(folder / "a"))


def owners_alive(folder: Path) -> str:
    make(folder / "a")
    with locks.try_lock(folder / "a", 100) or pytest.fail():
        return code_of(lambda: regions.remove(folder / "a"))


def removed(folder: Path) -> str:
    with regions.create(folder / "a", HEADER, fill) as region:
        (folder / "a").unlink()
        return code_of(lambda: region.try_lock(64))


def too_small(folder: Path) -> str:
    make(folder / "a")
    os.truncate(folder / "a", BYTES - 1)
    (code,) = {
        code_of(opening(folder / "a")),
        code_of(opening(edited(folder / "b", 12, u32(63)))),
        code_of(lambda: make(folder / "c", Header(1, 63))),
        code_of(lambda: make(folder / "c", Header(1, -1))),
        code_of(opening(edited(folder / "d", 12, u32(BYTES)), replace(WANTED, layout_bytes=BYTES + 1))),
    }
    return code


def too_large(folder: Path) -> str:
    make(folder / "a")
    os.truncate(folder / "a", BYTES + 1)
    (code,) = {
        code_of(opening(folder / "a")),
        code_of(lambda: make(folder / "b", Header(1, 2**32))),
        code_of(opening(edited(folder / "c", 12, u32(BYTES)), replace(WANTED, layout_bytes=BYTES - 1))),
    }
    return code


def not_pinned(folder: Path) -> str:
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))
        if os.geteuid() == 0:
            os.seteuid(65534)
        regions.create(folder / "a", HEADER, fill, regions.Mapping(mlock=True))

    status = in_child(limited)
    assert os.listdir(folder) == []
    return f"T{status:03}"


TRIGGERS: dict[str, Callable[[Path], str]] = {
    "T001": not_linux,
    "T002": bad_path,
    "T003": no_folder,
    "T004": missing,
    "T005": exists,
    "T006": no_permission,
    "T007": no_space,
    "T008": symlink,
    "T009": not_a_region,
    "T010": wrong_owner,
    "T011": wrong_mode,
    "T012": lambda folder: code_of(opening(edited(folder / "a", 0, b"SUBI"))),
    "T013": lambda folder: code_of(opening(edited(folder / "a", 4, b"\x02\x02"))),
    "T014": lambda folder: code_of(opening(edited(folder / "a", 6, b"\x64\x00"))),
    "T015": lambda folder: code_of(opening(edited(folder / "a", 8, u32(0)))),
    "T016": lambda folder: code_of(opening(edited(folder / "a", 8, u32(1 | 1 << 15 | 1 << 31)))),
    "T017": lambda folder: code_of(opening(edited(folder / "a", 47, b"x"))),
    "T018": lambda folder: code_of(opening(edited(folder / "a", 63, b"x"))),
    "T019": too_small,
    "T020": too_large,
    "T021": lambda folder: code_of(opening(edited(folder / "a", 16, u32(1)))),
    "T022": lambda folder: code_of(opening(edited(folder / "a", 16, u32(3)))),
    "T023": lambda folder: code_of(opening(edited(folder / "a", 24, bytes(8)), replace(WANTED, generation=1))),
    "T024": owners_alive,
    "T025": removed,
    "T026": not_pinned,
}
AS_ROOT = ("T006", "T010")


@pytest.mark.parametrize("code", [pytest.param(c, marks=as_root if c in AS_ROOT else ()) for c in TRIGGERS])
def test_every_code_has_a_trigger(shared: Path, code: str) -> None:
    assert TRIGGERS[code](shared) == code


def test_the_table_and_the_triggers_are_the_same() -> None:
    table = [value for value in vars(findings).values() if isinstance(value, diag.Rule)]
    assert {rule.code for rule in table} == set(TRIGGERS)


def test_every_page_says_what_and_why_and_what_instead() -> None:
    for code in TRIGGERS:
        page = diag.RULES[code].doc
        assert [page.count(head) for head in ("What: ", "Why: ", "Instead: ")] == [1, 1, 1], code


def test_findings_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        regions.open(tmp_path / "a", WANTED)
    assert [d.path for d in caught.value.diagnostics] == [str(tmp_path / "a")]
    assert findings.MISSING.code == "T004"


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a"
    make(path, replace(HEADER, capabilities=1 << 14, layout_hash=bytes(16), schema_hash=bytes(16)))
    os.truncate(path, 100)
    with pytest.raises(Refused) as caught:
        regions.open(path, replace(WANTED, generation=1))
    assert [d.code for d in caught.value.diagnostics] == ["T015", "T016", "T017", "T018", "T019", "T023"]
    assert "0 (may_block)" in str(caught.value)


def test_one_cause_is_one_finding(tmp_path: Path) -> None:
    make(tmp_path / "a", Header(kind=200, layout_bytes=128))
    assert code_of(lambda: regions.open(tmp_path / "a", replace(WANTED, layout_bytes=64))) == "T014"


def test_a_full_file_system_is_told_at_creation(tmp_path: Path) -> None:
    script = """
        import os, sys
        sys.path[:0] = sys.argv[2:]
        from byteor.transport import regions
        from byteor.transport.header import Header
        from byteor.diag import Refused
        regions.create(sys.argv[1] + "/fits", Header(1, 32768), len).close()
        try:
            regions.create(sys.argv[1] + "/full", Header(1, 1 << 20), len)
        except Refused as refused:
            print([d.code for d in refused.diagnostics], os.listdir(sys.argv[1]))
    """
    mount = f'mount -t tmpfs -o size=256k none "{tmp_path}" || exit 77; exec "$@"'
    command = ["unshare", "-Urm", "sh", "-c", mount, "sh", sys.executable, "-c", textwrap.dedent(script), str(tmp_path)]
    try:
        done = subprocess.run([*command, str(ROOT / "src")], capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no `unshare` here")
    if done.returncode == 77 or "unshare:" in done.stderr:
        pytest.skip(f"a small file system cannot be mounted here: {done.stderr.strip()}")
    assert done.stdout.strip() == "['T007'] ['fits']", done.stderr
