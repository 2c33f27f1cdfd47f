"""The X codes: what can be wrong when a valid spec is brought up and run."""

from __future__ import annotations

from byteor.diag import rule

STAGE_NOT_FOUND = rule(
    "X001",
    "stage-not-found",
    """What: the stage's `call` names a module or a function that is not there.

Why: every process finds its stages by name; a name that leads nowhere is found out before anything runs.

Instead: write `module:function`; the module is looked for beside the plan, then on Python's path. A function
that exists only in a program is given as `byteor.run(plan, stages={"name": function})`.""",
)
STAGE_ARGUMENTS = rule(
    "X002",
    "stage-arguments",
    """What: the stage's function asks for an argument that no stage of this form is given.

Why: the first argument is the record or the batch; the others are matched by name, so an unknown name
cannot be filled.

Instead: use `state`, `p` and, in plain stages, `res`; batch forms also `live` and `index`.""",
)
STAGE_NOT_COMPILABLE = rule(
    "X003",
    "stage-not-compilable",
    """What: the stage is declared `compiled = true`, and Numba cannot compile it.

Why: a compiled stage may use numbers, records, arrays and numpy functions, but not general Python objects.

Instead: change the line that is named, or declare `compiled = false`: plain and compiled stages mix freely.""",
)
STAGE_DIFFERS = rule(
    "X004",
    "stage-differs",
    """What: what `@byteor.stage(...)` says of the stage is not what the plan says.

Why: the plan decides layout and validity; code written for another form would run wrongly.

Instead: make both say the same; `byteor check --resolve` copies what the code says into the document.""",
)
STAGE_UNDECLARED = rule(
    "X005",
    "undeclared-access",
    """What: the code of a compiled stage reads or writes a field that its `reads` or `writes` leave out.

Why: parallel branches may run together only because their sets do not touch; a wrong set is a race.

Instead: add the field to the set; `byteor check --resolve` proposes both sets from the code.""",
)
UNSUPPORTED = rule(
    "X006",
    "unsupported",
    """What: the spec is valid, and this executor cannot run its shape.

Why: a spec is never run as well as possible: it runs as it stands or it is refused.

Instead: see the help of the finding for the shape that is supported.""",
)
STAGE_UNKNOWN = rule(
    "X007",
    "unknown-stage",
    """What: `stages=` or an option names a stage that the spec does not have.

Why: a function given for no stage is most likely a misspelt name.

Instead: use a name from the spec.""",
)
STAGE_PART_MISSING = rule(
    "X008",
    "stage-part-missing",
    """What: the spec says that a stage has an `end`, and its code has none.

Why: the records of `end` are part of the result.

Instead: write `@stage.end` under the decorated stage, or take `end` out of the plan.""",
)
STAGE_PLAIN_ONLY = rule(
    "X009",
    "plain-only",
    """What: a compiled stage uses what only a plain stage has: `open` and its `res`.

Why: a connection or a loaded model is a Python object; compiled code cannot hold it.

Instead: declare the stage `compiled = false`.""",
)
STAGE_RAISED = rule(
    "X010",
    "stage-raised",
    """What: a stage raised an error, answered False without leave to filter, or met a new key with its table full.

Why: an error stops the whole run cooperatively: nothing after it is trusted, nothing before it is lost.

Instead: look at the record that is named; `min_out = 0` allows to filter; `state.max` is the number of keys.""",
)
RUN_OPTION = rule(
    "X011",
    "run-option",
    """What: an option of the run has a value that it cannot take.

Why: a run with a guessed option would not be the run that was asked for.

Instead: see the help of the finding for the values that are possible.""",
)
BATCH_DEPENDENT = rule(
    "X030",
    "batch-dependent",
    """What: two runs over the same input, with other batch limits, gave other outputs.
Why: where a batch ends depends on timing, so such a result cannot be had again.
Example: a per-batch stage that subtracts the batch's mean, or sums floats batch by batch.
Instead: keep what is carried over rows in the state, sum integers, or say `borders = true` and live with it.""",
)
