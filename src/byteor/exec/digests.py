"""What a stage's code is, as a digest: a plant that was left is continued by the same code, or not at all.

Rule 1. The digest covers everything that the code reaches; the spec's own hash does not say what a stage does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from byteor.exec.stage import Stage
from byteor.kernel.cache import fingerprint


def digest(code: Stage) -> str:
    """The digest of one stage."""
    found = hashlib.sha256()
    for part in (code.function, code.begin_function, code.end_function, code.open_function):
        found.update(f"{part and fingerprint(part, lenient=True)}\n".encode())
    return found.hexdigest()


def together(stages: Mapping[str, str]) -> str:
    """The digest of all stages, of theirs."""
    return hashlib.sha256("".join(f"{name} {found}\n" for name, found in sorted(stages.items())).encode()).hexdigest()


def digests(codes: Mapping[str, Stage]) -> dict[str, str]:
    """The digests of a plant's stages, by name."""
    return {name: digest(code) for name, code in sorted(codes.items())}
