"""A compile cache that is never stale: its key is everything that is compiled in.

Rule 1. The key is a fingerprint of bytecode, constants, names and, recursively, of the functions
        and global values reached; plus a digest of the hot sources, for what bytecode does not show.
Rule 2. What cannot be fingerprinted is not cached.
Rule 3. The folder is private (0700): what it holds is unpickled.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import sys
import types as pt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba.core import types
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator
from numba.core.dispatcher import Dispatcher
from numba.extending import _Intrinsic

LIMIT_BYTES = 500 * 2**20
_LIBRARIES = sys.stdlib_module_names | {"numba", "numpy", "llvmlite"}  # their versions stand for them
_PLAIN = (bool, int, float, complex, str, bytes, type(None), np.generic, np.dtype, types.Type)


class Opaque(Exception):
    """A function reaches something whose value no fingerprint can hold."""


def folder() -> Path:
    """Where compiled code is kept: $BYTEOR_CACHE, else byteor in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("BYTEOR_CACHE") or Path(base) / "byteor")


def _sources() -> str:
    digest = hashlib.sha256(f"{sys.version} {numba.__version__} {np.__version__}".encode())
    here = Path(__file__).parent
    for path in sorted([*here.glob("*.py"), *(here.parent / "abi").glob("*.py")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


_LOADED = _sources()  # taken now: files that change under this process are not what it runs


def _is_own(function: Any) -> bool:
    return (function.__module__ or "").startswith(("byteor.kernel.", "byteor.abi."))


def _covered(function: pt.FunctionType) -> bool:
    """Whether a name says it all: a library's function, or one of ours, whose source is in the digest."""
    if _is_own(function):
        return function.__closure__ is None and function.__name__ != "<lambda>"
    return (function.__module__ or "").partition(".")[0] in _LIBRARIES


class _Walk:
    """Feeds a digest with everything that a function can reach."""

    def __init__(self, lenient: bool = False) -> None:
        self.digest = hashlib.sha256(_LOADED.encode())
        self.lenient = lenient
        self.seen: dict[int, int] = {}

    def put(self, *parts: object) -> None:
        for part in parts:
            self.digest.update(repr(part).encode() + b"\0")

    def code(self, code: pt.CodeType, names: dict[str, Any], cells: dict[str, Any]) -> None:
        self.put("code", code.co_code, code.co_names, code.co_varnames, code.co_freevars, code.co_exceptiontable)
        for constant in code.co_consts:
            self.constant(constant, names)
        for name in code.co_names:
            if name in names:
                self.put("global", name)
                self.walk(names[name], code.co_names)
        for name, value in cells.items():
            self.put("cell", name)
            self.walk(value, code.co_names)

    def constant(self, value: Any, names: dict[str, Any]) -> None:
        if isinstance(value, pt.CodeType):
            self.code(value, names, {})
        elif isinstance(value, frozenset):  # its order is not stable between processes
            self.put("frozenset", sorted(map(repr, value)))
        else:
            self.put(type(value).__name__, value)

    def function(self, function: pt.FunctionType) -> None:
        if id(function) in self.seen:
            return self.put("again", self.seen[id(function)])
        self.seen[id(function)] = len(self.seen)
        if _covered(function):
            return self.put("named", function.__module__, function.__qualname__)
        self.put("function", function.__module__, function.__defaults__)  # a loaded one asks for its module
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        self.code(function.__code__, function.__globals__, {n: c.cell_contents for n, c in cells})

    def walk(self, value: Any, names: tuple[str, ...] = ()) -> None:
        if isinstance(value, Dispatcher):
            self.put("compiled", sorted(value.targetoptions.items(), key=str))
            value = value.py_func
        elif isinstance(value, _Intrinsic):
            if _is_own(value._defn):
                return self.put("intrinsic", value._name, value._defn.__qualname__)
            value = value._defn
        if isinstance(value, pt.FunctionType):
            self.function(value)
        elif isinstance(value, pt.ModuleType):
            self.module(value, names)
        elif isinstance(value, np.ndarray):
            self.put("array", value.dtype, value.shape, value.tobytes())
        elif isinstance(value, tuple | list):
            self.put(type(value).__name__, len(value))
            for item in value:
                self.walk(item)
        elif isinstance(value, types.ExternalFunction):
            self.put("extern", value.symbol, value.sig)
        elif isinstance(value, _PLAIN):
            self.put(type(value).__name__, value)
        elif isinstance(value, type | pt.BuiltinFunctionType):
            self.put("named", value.__module__, value.__qualname__)
        elif self.lenient:
            self.put("opaque", type(value).__module__, type(value).__qualname__)
        else:
            raise Opaque(f"{type(value).__qualname__} in compiled code")

    def module(self, module: pt.ModuleType, names: tuple[str, ...]) -> None:
        self.put("module", module.__name__)
        if module.__name__.partition(".")[0] in _LIBRARIES:
            return
        for name in names:
            if hasattr(module, name):
                self.put(name)
                self.walk(getattr(module, name))


def fingerprint(function: Any, lenient: bool = False) -> str:
    """Digest of a function and of all that it reaches; raises Opaque where it cannot know, unless lenient."""
    walk = _Walk(lenient)
    walk.walk(function)
    return walk.digest.hexdigest()


class _Locator(_CacheLocator):  # type: ignore[misc]
    """Keeps each function's files under its own fingerprint: no lost updates between processes."""

    def __init__(self, function: Any) -> None:
        self.digest = fingerprint(function)

    def get_cache_path(self) -> str:
        return str(folder())

    def get_source_stamp(self) -> str:
        return "by content"

    def get_disambiguator(self) -> str:
        return self.digest[:24]

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> _Locator:
        return cls(py_func)


class _Files(CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = [_Locator]


class ContentCache(FunctionCache):  # type: ignore[misc]
    """Numba's function cache, keyed by content."""

    _impl_class = _Files

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Compiled code, or None: also where the module that it was compiled from is no longer there."""
        try:
            return super().load_overload(sig, target_context)
        except ImportError:
            return None

    def _index_key(self, sig: Any, codegen: Any) -> Any:
        return sig, codegen.magic_tuple(), self._impl.locator.digest


def cached(dispatcher: Any) -> Any:
    """Give a dispatcher, not called yet, a cache that is never stale."""
    try:
        _private(folder())
        dispatcher._cache = ContentCache(dispatcher.py_func)
    except (Opaque, OSError):  # it compiles all the same, in every process anew
        return dispatcher
    return dispatcher


def remembered(function: Any, more: str, find_out: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Facts about a function that cost a compilation to find out, kept under its fingerprint."""
    try:
        _private(folder())
        key = hashlib.sha256(f"{fingerprint(function)} {more}".encode()).hexdigest()
        file = folder() / f"facts.{key[:24]}.json"
        if file.is_file():
            return dict(json.loads(file.read_text()))
        facts = find_out()
        part = file.with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps(facts))
        part.replace(file)
        return facts
    except (Opaque, OSError):
        return find_out()


@functools.cache
def _private(path: Path) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.stat().st_mode & 0o077 or path.stat().st_uid != os.geteuid():
        raise PermissionError(f"{path} must be 0700 and yours: compiled code is unpickled from it")
    _trim(path)


def _trim(path: Path) -> None:
    """Drop the oldest files until the folder is within its limit."""
    files = sorted((f for f in path.iterdir() if f.is_file()), key=lambda f: f.stat().st_mtime)
    over = sum(f.stat().st_size for f in files) - LIMIT_BYTES
    for file in files:
        if over <= 0:
            return
        over -= file.stat().st_size
        file.unlink(missing_ok=True)


def clear() -> tuple[int, int]:
    """Remove all compiled code; answer with the number of files and bytes."""
    files = [f for f in folder().glob("*") if f.is_file()] if folder().is_dir() else []
    size = sum(f.stat().st_size for f in files)
    shutil.rmtree(folder(), ignore_errors=True)
    _private.cache_clear()
    return len(files), size
