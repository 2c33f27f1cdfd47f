"""ByteOr: plans become checked specs, specs become running rings. This page names what is public.

Rule 1. A name is loaded when it is first asked for (PEP 562): `import byteor` loads neither numpy nor numba.
Rule 2. Each name stands once, under the module that owns it; names with a version are the original's.
Rule 3. No layer imports this page, except from above the place where the planes meet.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from byteor.diag import Diagnostic as Diagnostic
    from byteor.diag import Refused as Refused
    from byteor.diag import Source as Source
    from byteor.diag import render as render
    from byteor.diag import to_json as to_json
    from byteor.spec.model import Egress as Egress
    from byteor.spec.model import End as End
    from byteor.spec.model import Field as Field
    from byteor.spec.model import Ingress as Ingress
    from byteor.spec.model import MessageType as MessageType
    from byteor.spec.model import Param as Param
    from byteor.spec.model import SingleRing as SingleRing
    from byteor.spec.model import Stage as Stage
    from byteor.spec.model import State as State

__version__ = "0.1.0"

_NAMES = {
    "byteor.diag": ("Diagnostic", "Refused", "Source", "render", "to_json"),
    "byteor.spec.model": (
        "Egress",
        "End",
        "Field",
        "Ingress",
        "MessageType",
        "Param",
        "SingleRing",
        "Stage",
        "State",
    ),
}
_OWNER = {name: module for module, names in _NAMES.items() for name in names}

__all__ = sorted(_OWNER)


def __getattr__(name: str) -> Any:
    if name not in _OWNER:
        raise AttributeError(f"module 'byteor' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_OWNER[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
