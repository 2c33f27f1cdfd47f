"""How a function is compiled that only compiled code calls.

Rule 1. Its code is optimised once and goes into its callers' libraries; no machine code is made of it, and no way in
        from Python.
Rule 2. The way in is also the key by which callers find a function, so each has one: it refuses every call.
"""

from __future__ import annotations

from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder, _LowerResult
from numba.core.compiler_machinery import LoweringPass, PassManager, register_pass
from numba.core.typed_passes import NativeLowering


def way() -> Any:
    """A new built-in, as Numba wants one, that refuses with a TypeError whatever it is called with."""
    nothing: tuple[int, ...] = ()
    return (one for one in nothing).throw


class Ingredient(JITCodeLibrary):  # type: ignore[misc]
    """A library that others link, and nobody runs."""

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._verify_declare_only_symbols()
        self._finalized = True


@register_pass(mutates_CFG=False, analysis_only=False)
class Keyed(LoweringPass):  # type: ignore[misc]
    """Let callers find the function, as NativeLowering does for those that Python may call."""

    _name = "byteor_keyed"

    def __init__(self) -> None:
        LoweringPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        found, key = state["cr"], way()
        state.targetctx.insert_user_function(key, found.fndesc, [state.library])
        state.reload_init.extend(state.library._reload_init)
        state["cr"] = _LowerResult(found.fndesc, found.call_helper, cfunc=key, env=found.env)
        return True


class Callee(CompilerBase):  # type: ignore[misc]
    """Numba's pipeline, without what only Python needs: half of the time that it takes."""

    def define_pipelines(self) -> list[PassManager]:
        self.state.library = Ingredient(self.state.targetctx.codegen(), self.state.func_id.func_qualname)
        flags = self.state.flags
        flags.no_cpython_wrapper = flags.no_cfunc_wrapper = flags.no_compile = True
        manager = DefaultPassBuilder.define_nopython_pipeline(self.state, "callee")
        manager.add_pass_after(Keyed, NativeLowering)
        manager.finalize()
        return [manager]
