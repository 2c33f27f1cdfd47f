"""The Fanout lane: one producer, several readers, each of which sees every message once, without a copy.

Rule 1. It is the ring of the Events lane under a kind of its own: one ring, and as many gates as readers.
"""

from __future__ import annotations

from functools import partial

from byteor.abi.byteor_v1 import FANOUT
from byteor.lanes import events

create = partial(events.create, readers=2, kind=FANOUT)
attach = partial(events.attach, kind=FANOUT)
