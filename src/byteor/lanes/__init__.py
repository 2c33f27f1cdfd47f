"""Lanes: messages from one program to another, through memory that both have mapped.

This page names what is public.

Rule 1. A name is loaded when it is first asked for, as on the page of `byteor` itself.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from byteor.kernel.ends import try_receive as try_receive
    from byteor.kernel.ends import try_receive_many as try_receive_many
    from byteor.kernel.ends import try_send as try_send
    from byteor.kernel.ends import try_send_many as try_send_many
    from byteor.kernel.handles import try_append as try_append
    from byteor.kernel.handles import try_get as try_get
    from byteor.kernel.handles import try_put as try_put
    from byteor.kernel.handles import try_take as try_take
    from byteor.lanes.by_name import create as create
    from byteor.lanes.by_name import open as open
    from byteor.lanes.by_name import remove as remove
    from byteor.lanes.envelope import Envelope as Envelope
    from byteor.lanes.events import Lane as Lane
    from byteor.lanes.journal import Gap as Gap
    from byteor.lanes.outcome import Closed as Closed
    from byteor.lanes.outcome import Contended as Contended
    from byteor.lanes.outcome import Died as Died
    from byteor.lanes.outcome import Outcome as Outcome
    from byteor.lanes.receiver import Reader as Reader
    from byteor.lanes.sender import Sender as Sender

_OWNERS = {
    "byteor.kernel.ends": "try_receive try_receive_many try_send try_send_many",
    "byteor.kernel.handles": "try_append try_get try_put try_take",
    "byteor.lanes.envelope": "Envelope",
    "byteor.lanes.events": "Lane",
    "byteor.lanes.by_name": "create open remove",
    "byteor.lanes.journal": "Gap",
    "byteor.lanes.outcome": "Closed Contended Died Outcome",
    "byteor.lanes.receiver": "Reader",
    "byteor.lanes.sender": "Sender",
}
_OWNER = {name: module for module, names in _OWNERS.items() for name in names.split()}
__all__ = [*_OWNER]


def __getattr__(name: str) -> Any:
    if name not in _OWNER:
        raise AttributeError(f"module 'byteor.lanes' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_OWNER[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
