"""Who is not taken: over each fabric, a wrong certificate is told from nobody, at the end that can know it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from byteor.diag import Refused
from byteor.fabric import findings, silence, tls, zenoh
from byteor.fabric.link import Link
from byteor.fabric.messages import NOTHING, PROBE, Line, Message, encode
from byteor.fabric.open import open_fabric
from byteor.testing import certificates
from tests.fabric.ends import End, Pems, greeted, links, listening, pems_in, until

pytestmark = pytest.mark.skipif(not certificates.can_make(), reason="openssl is not on this machine")
NO_PEER, WRONG, STRANGER = findings.NO_PEER.code, findings.WRONG_CERTIFICATE.code, findings.STRANGER.code
NAME, HALF = findings.WRONG_NAME.code, findings.HALF_ENCRYPTED.code
QUESTION = encode(Message(PROBE, 0, 0, Line(1, 2, bytes(16)), 3, 4, 0, 0, NOTHING))


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> Pems:
    return pems_in(tmp_path_factory.mktemp("pems"))


@pytest.fixture(params=["tcp", pytest.param("zenoh", marks=pytest.mark.stress)])  # over zenoh, mostly waiting
def fabric(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "zenoh":
        pytest.importorskip("zenoh")
    monkeypatch.setattr(silence, "NO_PEER_AFTER", 0.8)
    monkeypatch.setattr(zenoh, "ASK", 0.3)
    return str(request.param)


def ended(end: End) -> Refused:
    """What an end ended with."""
    assert until(lambda: end.failure)
    assert end.failure is not None
    assert end.failure.diagnostics[0].path == end.fabric._link.role and end.failure.diagnostics[0].help
    return end.failure


@pytest.mark.parametrize(("near", "far"), [("strange", "far"), ("near", "distrusts"), ("distrusts", "far")])
def test_another_authority_ends_the_one_that_connects(pems: Pems, fabric: str, near: str, far: str) -> None:
    out, into = links(fabric, pems[near], pems[far])
    with End(open_fabric, into) as awaits, End(open_fabric, out) as connects:
        assert WRONG in str(ended(connects))
        assert until(lambda: awaits.said)
    assert awaits.codes[0] == (STRANGER if fabric == "tcp" else NO_PEER)


@pytest.mark.parametrize(
    ("shown", "code", "word"), [("expired", WRONG, "expired"), ("elsewhere", NAME, "does not name `127.0.0.1`")]
)
def test_a_certificate_of_another_time_or_host_ends_the_one_that_connects(
    pems: Pems, fabric: str, shown: str, code: str, word: str
) -> None:
    out, _ = links(fabric, pems["near"])
    with listening(out, pems[shown]), End(open_fabric, out) as connects:
        failure = str(ended(connects))
    assert code in failure and word in failure


@pytest.mark.parametrize(("shown", "code"), [("expired", WRONG), ("elsewhere", NAME)])
def test_what_is_wrong_with_a_hosts_own_is_told_there(pems: Pems, fabric: str, shown: str, code: str) -> None:
    for link in links(fabric, {**pems[shown], "own_name": "127.0.0.1"}, {**pems[shown], "own_name": "127.0.0.1"}):
        with pytest.raises(Refused, match=code) as e:
            open_fabric(link, print).open()
        assert pems[shown]["certificate"] in str(e.value)


def test_an_encrypted_end_is_told_of_one_that_is_not(pems: Pems, fabric: str) -> None:
    out, into = links(fabric, pems["near"])
    with End(open_fabric, into), End(open_fabric, out) as connects:
        assert until(lambda: connects.said)
    assert connects.codes == [HALF] and connects.said[0].path == out.role


def test_an_end_that_is_not_encrypted_is_told_of_one_that_is(pems: Pems, fabric: str) -> None:
    out, into = links(fabric, {}, pems["far"])
    with End(open_fabric, into) as awaits, End(open_fabric, out) as connects:
        assert until(lambda: connects.fabric.send(QUESTION) or (HALF in connects.codes and awaits.said))
        assert until(lambda: HALF in connects.codes and awaits.said)
    assert awaits.codes[0] == (HALF if fabric == "tcp" else NO_PEER)


def test_who_shows_no_certificate_is_not_let_in(pems: Pems, fabric: str) -> None:
    out, into = links(fabric, {}, pems["far"])
    with End(open_fabric, into) as awaits:
        assert "certificate required" in greeted(out, {}, into.authority)
        assert until(lambda: awaits.said)
    assert awaits.codes[0] == (STRANGER if fabric == "tcp" else NO_PEER)


def test_nobody_is_told_from_all_these(pems: Pems, fabric: str) -> None:
    for link in links(fabric, pems["near"], pems["far"]):
        with End(open_fabric, link) as end:
            assert until(lambda end=end: end.said)
        assert end.codes == [NO_PEER] and link.address in end.said[0].message


def test_it_is_told_within_five_seconds() -> None:
    """Of what may be asked for when nobody is heard, each part has its time, and together they have five seconds."""
    out, _ = links("tcp")
    counts = silence.Silence(out, print)
    assert counts.at_most(100.0) <= silence.NO_PEER_AFTER
    counts._since -= silence.NO_PEER_AFTER
    assert counts.at_most(100.0) == silence.SOON < 5.0 - silence.NO_PEER_AFTER


@pytest.mark.parametrize("name", ["elsewhere", "ELSEWHERE", "10.0.0.9"])
def test_a_peer_of_the_expected_name_is_let_in(pems: Pems, name: str) -> None:
    out, into = links("tcp", pems["elsewhere"], {**pems["far"], "peer_name": name})
    with End(open_fabric, into) as awaits, End(open_fabric, out):
        assert until(awaits.fabric.up) and not awaits.said


def test_a_peer_of_another_name_is_not(pems: Pems) -> None:
    out, into = links("tcp", pems["near"], {**pems["far"], "peer_name": "elsewhere"})
    with End(open_fabric, into) as awaits:
        assert greeted(out, pems["near"], into.authority) == "closed"
        assert until(lambda: awaits.said)
    assert awaits.codes == [STRANGER] and "`localhost`, `127.0.0.1`, and not `elsewhere`" in awaits.said[0].message


@pytest.mark.parametrize(
    ("named", "host", "same"),
    [
        ([("DNS", "*.shop.org")], "west.shop.org", True),
        ([("DNS", "*.shop.org")], "a.west.shop.org", False),
        ([("DNS", "*.shop.org")], "shop.org", False),
        ([("IP Address", "FD00:0:0:0:0:0:0:1\n")], "fd00::1", True),
        ([("DNS", "10.0.0.1")], "10.0.0.2", False),
        ([("email", "west")], "west", False),
        ([], "west", False),
    ],
)
def test_names_are_held_against_hosts(named: list[tuple[str, str]], host: str, same: bool) -> None:
    assert tls.bears({"subjectAltName": named}, host) is same


@pytest.mark.parametrize("host", ["[fe80::1%eth0]:7400", "west.:7400"])
def test_a_host_is_named_without_what_is_not_its_name(host: str) -> None:
    assert Link("a", "out", "tcp", 1, connect=host).expects in ("fe80::1", "west")


def test_what_is_told_once_is_told_again_after_somebody_was_heard() -> None:
    said: list[Any] = []
    out, _ = links("tcp")
    counts = silence.Silence(out, said.append)
    again: Callable[[], None] = lambda: counts.tell(silence.no_peer(out, "why"), "once")  # noqa: E731
    again(), again()
    assert len(said) == 1
    counts.begin()
    again()
    assert len(said) == 2


def test_keys_that_cannot_be_read_are_a_finding(tmp_path: Path, fabric: str) -> None:
    bad = {"certificate": str(tmp_path / "no.pem"), "key": "no.key", "authority": "no.pem"}
    with pytest.raises(Refused, match=findings.BAD_KEYS.code):
        open_fabric(links(fabric, {}, bad)[1], print).open()


def test_a_key_of_another_certificate_is_a_finding(pems: Pems, fabric: str) -> None:
    with pytest.raises(Refused, match=findings.BAD_KEYS.code):
        open_fabric(links(fabric, {}, {**pems["far"], "key": pems["near"]["key"]})[1], print).open()


def test_an_authority_that_is_none_is_a_finding(pems: Pems, fabric: str) -> None:
    with pytest.raises(Refused, match=findings.BAD_KEYS.code):
        open_fabric(links(fabric, {}, {**pems["far"], "authority": pems["near"]["key"]})[1], print).open()
