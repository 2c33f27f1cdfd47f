"""What is told of a link whose other end is not heard: after a time, and each thing once.

Rule 1. Less than five seconds pass before something is told, whatever the last attempt still waits for.
Rule 2. What was told is told again only when somebody was heard meanwhile.
"""

from __future__ import annotations

import time

from byteor.diag import Diagnostic
from byteor.fabric import findings
from byteor.fabric.contract import NO_PEER_AFTER, Say
from byteor.fabric.link import Link

SOON = 0.5  # seconds that any attempt may take
_NOBODY, _WHY = "nobody", "why"


class Silence:
    """How long nobody has been heard at a link, and why, as far as that is known."""

    def __init__(self, link: Link, say: Say) -> None:
        self._link, self._say = link, say
        self._told: set[str] = set()
        self.why: Diagnostic | str = "nobody was there"
        self.begin()

    def begin(self) -> None:
        """Count from now."""
        self._since = time.monotonic()
        self._told.clear()

    def at_most(self, seconds: float) -> float:
        """How long an attempt may take, so that it does not keep anybody from being told."""
        left = self._since + NO_PEER_AFTER - time.monotonic()
        return min(seconds, max(SOON, left)) if left > -SOON else seconds

    def is_due(self) -> bool:
        """Whether it is time to tell of it."""
        return time.monotonic() - self._since >= NO_PEER_AFTER

    def check(self) -> None:
        """Tell that nobody is heard, if it is time: once, and once more where there is a finding for why."""
        if not self.is_due():
            return
        if isinstance(self.why, Diagnostic):
            self.tell(self.why, _WHY)
        elif _WHY not in self._told:
            self.tell(no_peer(self._link, self.why), _NOBODY)

    def tell(self, finding: Diagnostic, once: str) -> None:
        """Tell of something that may pass, unless just that was told."""
        if once not in self._told:
            self._told.add(once)
            self._say(finding)


def no_peer(link: Link, why: str) -> Diagnostic:
    """The finding for a link whose other end does not answer."""
    doing = "listens at" if link.listen else "connects to"
    of = f" of `{link.peer}`" if link.peer else ""
    message = f"it {doing} {link.address}, and the other end{of} did not answer in {NO_PEER_AFTER:g} s: {why}"
    return findings.NO_PEER.at(link.role, message, help="start the other host, or check the addresses and the network")
