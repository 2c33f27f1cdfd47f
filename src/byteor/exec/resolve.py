"""From the `call` of a spec to the code of a stage, and what that code says against the spec.

Rule 1. Modules are looked for beside the plan first; what is found is never run here.
Rule 2. All findings at once; a stage that was not found is not judged further.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from byteor.diag import Diagnostic
from byteor.exec import findings as x
from byteor.exec.stage import BATCH_ARGUMENTS, MESSAGE_ARGUMENTS, REGISTRY, Stage, arguments, as_stage
from byteor.spec.lane_graph import LaneGraph
from byteor.spec.model import IDENTITY, Field, SingleRing
from byteor.spec.model import Stage as Spec


@as_stage
def _identity(rec: Any) -> None:
    """Leave the record as it is."""


def resolve(
    spec: SingleRing | LaneGraph,
    folder: Path | None,
    given: Mapping[str, Any] | None = None,
    only: Collection[str] | None = None,
) -> tuple[dict[str, Stage], tuple[Diagnostic, ...]]:
    """Find every stage's code, or that of `only` some; answer with it by stage name, and with what is wrong."""
    given = given or {}
    found: dict[str, Stage] = {}
    stages = tuple(stages_of(spec))
    wrong = _unknown([stage.name for _, stage in stages], _root(spec), given)
    for path, stage in stages:
        if only is not None and stage.name not in only:
            continue
        code = as_stage(given[stage.name]) if stage.name in given else _find(stage.call, folder)
        if isinstance(code, str):
            wrong.append(x.STAGE_NOT_FOUND.at(f"{path}.call", f"stage `{stage.name}`: {code}"))
        else:
            found[stage.name] = code
            wrong += [*_judge(stage, code, path), *_judge_access(stage, code, path, fields_of(spec, stage))]
    return found, tuple(wrong)


def stages_of(spec: SingleRing | LaneGraph) -> Iterator[tuple[str, Spec]]:
    """The stages of a spec, each with its key."""
    if isinstance(spec, SingleRing):
        yield from ((f"single_ring.stages.{i}", stage) for i, stage in enumerate(spec.stages))
    else:
        yield from ((f"lane_graph.stages.{i}.stage", role.stage) for i, role in enumerate(spec.stages))


def _root(spec: SingleRing | LaneGraph) -> str:
    return "single_ring.stages" if isinstance(spec, SingleRing) else "lane_graph.stages"


def fields_of(spec: SingleRing | LaneGraph, stage: Spec) -> tuple[Field, ...]:
    """The fields of the records that a stage takes."""
    name = spec.type if isinstance(spec, SingleRing) else stage.in_
    return next(t.fields for t in spec.types if t.name == name)


def _unknown(names: list[str], path: str, given: Mapping[str, Any]) -> list[Diagnostic]:
    return [
        x.STAGE_UNKNOWN.at(path, f"there is no stage `{name}`", help=_near(name, names))
        for name in given
        if name not in names
    ]


def _near(name: str, names: list[str]) -> str:
    near = get_close_matches(name, names, 1)
    return f"did you mean `{near[0]}`?" if near else f"the stages are {', '.join(f'`{n}`' for n in names)}"


def _find(call: str, folder: Path | None) -> Stage | str:
    """The stage that `call` names, or the reason why there is none."""
    if call == IDENTITY:
        return _identity
    if call in REGISTRY:
        return REGISTRY[call]
    module_name, colon, name = call.partition(":")
    if not colon:
        return f"no stage is registered as `{call}`"
    try:
        module = _module(module_name, folder)
    except ModuleNotFoundError as e:
        return f"there is no module `{e.name}`"
    except Exception as e:  # noqa: BLE001 the user's own module, at import: whatever it raises is the reason
        return f"importing `{module_name}` failed: {type(e).__name__}: {e}"
    if not callable(getattr(module, name, None)):
        return f"module `{module_name}` has no function `{name}`"
    return as_stage(getattr(module, name))


def _module(name: str, folder: Path | None) -> Any:
    """Import `name`, beside the plan first; two plans' modules of one name do not meet."""
    file = folder / (name.replace(".", "/") + ".py") if folder else None
    if file is None or not file.is_file():
        return importlib.import_module(name)
    known = sys.modules.get(name)
    if known is not None and Path(getattr(known, "__file__", "") or "").resolve() == file.resolve():
        return known
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))  # so that a stage's module finds its neighbours
    if "." in name:
        return importlib.import_module(name)
    module_spec = importlib.util.spec_from_file_location(name, file)
    assert module_spec is not None and module_spec.loader is not None
    module = importlib.util.module_from_spec(module_spec)
    sys.modules[name] = module
    module_spec.loader.exec_module(module)
    return module


def _judge(spec: Spec, code: Stage, path: str) -> list[Diagnostic]:
    return [*_judge_says(spec, code, path), *_judge_arguments(spec, code, path), *_judge_parts(spec, code, path)]


def _judge_says(spec: Spec, code: Stage, path: str) -> list[Diagnostic]:
    wrong = []
    for key, said in says(code).items():
        stands = getattr(spec, key)
        if said != stands:
            message = f"stage `{spec.name}`: the code says {key} = {_show(said)}, the spec says {_show(stands)}"
            wrong.append(x.STAGE_DIFFERS.at(f"{path}.{key}", message, help="make both say the same"))
    return wrong


def says(code: Stage) -> dict[str, Any]:
    """What the decorator says, in the spec's terms; names that are not the spec's are left out."""
    plain = ("form", "compiled", "min_out", "max_out", "borders", "clock", "boundscheck")
    said = {key: code.says[key] for key in plain if key in code.says}
    for key in ("reads", "writes"):
        if key in code.says:
            said[key] = None if code.says[key] is None else tuple(code.says[key])
    return said


def _show(value: Any) -> str:
    return (
        str(list(value)) if isinstance(value, tuple) else str(value).lower() if isinstance(value, bool) else str(value)
    )


def _judge_arguments(spec: Spec, code: Stage, path: str) -> list[Diagnostic]:
    names = arguments(code.function)
    known = known_arguments(spec)
    where, wrong = f"{path}.call", []
    if not names:
        wrong.append(x.STAGE_ARGUMENTS.at(where, f"stage `{spec.name}` takes no argument"))
    for name in names[1:]:
        if name not in known:
            message = f"stage `{spec.name}` of form {spec.form} asks for `{name}`, which it is not given"
            wrong.append(x.STAGE_ARGUMENTS.at(where, message, help=f"it may ask for {', '.join(known)}"))
    for name in ("out",) * (not spec.in_place) + ("src",) * spec.src:
        if name not in names[1:]:
            message = f"stage `{spec.name}` gives records of its own and does not ask for `{name}`"
            wrong.append(x.STAGE_ARGUMENTS.at(where, message, help=f"let it take `{name}`"))
    if spec.state is None and {"state", "index"} & set(names[1:]):
        message = f"stage `{spec.name}` asks for state and declares none"
        wrong.append(x.STAGE_ARGUMENTS.at(where, message, help="declare `state` in the plan"))
    if spec.compiled and ("res" in names[1:] or code.open_function):
        wrong.append(x.STAGE_PLAIN_ONLY.at(where, f"stage `{spec.name}` is compiled and uses `open` or `res`"))
    return wrong


def known_arguments(spec: Spec) -> tuple[str, ...]:
    """What a stage may ask for besides its record or batch."""
    known = MESSAGE_ARGUMENTS if spec.form == "message" else BATCH_ARGUMENTS
    return ("out",) * (not spec.in_place) + ("src",) * spec.src + known


def _judge_access(stage: Spec, code: Stage, path: str, fields: Iterable[Field]) -> list[Diagnostic]:
    """Hold a compiled stage's code against its sets; only then is there something to load for it."""
    if not stage.compiled or (stage.reads is None and stage.writes is None):
        return []
    from byteor.exec.inspect import judge

    return judge(stage, code, path, fields)


def _judge_parts(spec: Spec, code: Stage, path: str) -> list[Diagnostic]:
    if spec.end and not code.end_function:
        return [x.STAGE_PART_MISSING.at(f"{path}.end", f"stage `{spec.name}` has no `end` in its code")]
    if code.end_function and not spec.end:
        message = f"the code of stage `{spec.name}` has an `end`, the spec has none"
        return [x.STAGE_DIFFERS.at(f"{path}.end", message, help="declare `end` in the plan")]
    return []
