"""The codes of the edges: files, streams and rows that do not fit.

Rule 1. Standard library only: whoever explains a code need not load numpy or pyarrow.
Rule 2. A finding about a row has the path `boundary.line.column`, so the findings of a file sort by line.
"""

from __future__ import annotations

from byteor.diag import rule

UNKNOWN_FORMAT = rule(
    "E001",
    "unknown-format",
    """What: neither the name given nor the file's suffix is a format that byteor reads or writes here.
Why: byteor never guesses a format from a file's content.
Instead: name one of the formats in the help line, or give the file a suffix that says it.""",
)
MISSING_EXTRA = rule(
    "E002",
    "missing-extra",
    """What: the format needs pyarrow, and pyarrow is not installed.
Why: the core of byteor needs numpy and numba alone; file formats are an extra.
Instead: `pip install 'byteor[arrow]'`, or use `jsonl`, `lines`, `raw` or `npy`, which need nothing more.""",
)
NO_FILE = rule(
    "E003",
    "no-such-file",
    """What: there is nothing under the name given as input.
Why: a run reads its inputs from the first row; it never starts without them.
Instead: check the path; it is taken relative to the folder in which the command runs.""",
)
NOT_A_FILE = rule(
    "E004",
    "not-a-file",
    """What: the path names a folder, where a file is read or written.
Why: one boundary is one stream of rows, and that is one file.
Instead: name a file in that folder.""",
)
NOT_READABLE = rule(
    "E005",
    "not-readable",
    """What: the file is there, but this user may not read it.
Why: the operating system refuses to open it.
Instead: change its permissions, or run as a user who may read it.""",
)
NOT_WRITABLE = rule(
    "E006",
    "not-writable",
    """What: the output cannot be created: its folder is missing or may not be written.
Why: an output is written beside its final name and takes that name only when it is complete.
Instead: make the folder, or choose another one.""",
)
EMPTY = rule(
    "E007",
    "empty-file",
    """What: the file has no bytes, and its format begins with a header.
Why: a file without its header is a broken transfer more often than a table without rows.
Instead: give a file with a header line; a header with no rows under it is a valid, empty input.""",
)
NO_HEADER = rule(
    "E008",
    "no-header",
    """What: the header names none of the type's fields, or it names one of them twice.
Why: columns are found by name; a file without a header cannot be read by position without guessing.
Instead: put the column names on the first line.""",
)
MISSING_COLUMN = rule(
    "E009",
    "missing-column",
    """What: the input has no column for a field of the message type.
Why: types come from the plan; a field that nothing fills would be an invented value.
Instead: add the column; where a stage makes the field, list it in the stage's `writes` and not in its `reads`.""",
)
COLUMN_TYPE = rule(
    "E010",
    "wrong-column-type",
    """What: the column's own type cannot become the field's type.
Why: numbers become numbers, times times and text text; anything else would be a guess.
Instead: write the column with a fitting type, or change the field's type in the plan.""",
)
BAD_VALUE = rule(
    "E011",
    "bad-value",
    """What: a value does not read as the field's type.
Why: a row that does not fit is an error unless the ingress says `bad = "skip"`.
Instead: mend the row, or set `bad = "skip"` and keep such rows with `--rejects FILE`.""",
)
OUT_OF_RANGE = rule(
    "E012",
    "out-of-range",
    """What: a number is outside of what the field's type can hold.
Why: byteor never wraps, cuts or saturates a number.
Instead: use a wider type in the plan, or `bad = "skip"`.""",
)
TOO_LONG = rule(
    "E013",
    "too-long",
    """What: a text or a line is longer, in bytes of UTF-8, than the field's `bytes(N)`.
Why: a cut text is a different text, and two texts could become one.
Instead: raise N in the plan, or `bad = "skip"`.""",
)
MISSING_VALUE = rule(
    "E014",
    "missing-value",
    """What: a value is missing, and the field declares no null.
Why: a record has no room for "nothing"; the plan says which value means it.
Instead: declare it, as in `dep_delay = { type = "f64", null = "nan" }`, or `bad = "skip"`.""",
)
BAD_ROW = rule(
    "E015",
    "bad-row",
    """What: a row has not its format's shape: more or fewer columns than the header, or a line that is no JSON object.
Why: its values cannot be told apart, so none of them is taken.
Instead: mend the row, or `bad = "skip"`.""",
)
MORE_BAD = rule(
    "E016",
    "more-bad-rows",
    """What: the batch has more bad rows than are shown.
Why: a file of the wrong type has as many bad rows as rows; the first ones tell why.
Instead: mend what the shown rows have in common; `bad = "skip"` with `--rejects FILE` lists every one.""",
)
PARTIAL_RECORD = rule(
    "E017",
    "partial-record",
    """What: a file of raw records ends within a record.
Why: records lie back to back; a rest means a cut file or another type.
Instead: check that the type's size in the plan is the one that the file was written with.""",
)
NOT_THE_FORMAT = rule(
    "E018",
    "not-the-format",
    """What: the file cannot be read as the format that its name or the command gives it.
Why: it is damaged, was cut, or is something else.
Instead: name its format with `format = ...`, or write the file again.""",
)
TYPE_FOR_FORMAT = rule(
    "E019",
    "wrong-type-for-format",
    """What: the message type does not suit the format: `lines` carries exactly one `bytes(N)` field.
Why: a line is one text; where it would be cut into fields is not for byteor to guess.
Instead: read lines as one field and split them in a stage, or use `csv` or `jsonl`.""",
)
NO_FUNCTION = rule(
    "E020",
    "no-such-function",
    """What: `python:module:function` names a module that cannot be imported or a function that is not in it.
Why: sources and sinks are resolved before anything runs.
Instead: write the module as Python would import it from the plan's folder, then the function's name.""",
)
BAD_BATCH = rule(
    "E021",
    "bad-batch",
    """What: a Python source gave something that is no batch of the message type.
Why: a source yields numpy structured arrays with the type's fields, or rows as tuples or dicts.
Instead: yield one of those; `numpy.zeros(n, dtype)` makes a batch to fill.""",
)
UNWRITABLE = rule(
    "E022",
    "unwritable-value",
    """What: a value cannot stand in the output: bytes that are no UTF-8 text, a line end within a line, a time too far.
Why: writing it changed would lose it silently.
Instead: write `csv` or `raw`, which take any bytes, or change the value in a stage.""",
)
SINK_LEFT = rule(
    "E023",
    "sink-left-early",
    """What: a Python sink returned before it had taken all rows.
Why: the rows that it did not take would be lost silently.
Instead: consume the iterator to its end.""",
)
NO_STREAM = rule(
    "E024",
    "no-stream",
    """What: the format cannot be read from stdin or written to stdout.
Why: its files are read from their end, or get their header last.
Instead: give a file's path, or use `csv`, `jsonl`, `lines`, `raw` or `arrow`.""",
)
OPEN_QUOTE = rule(
    "E025",
    "open-quote",
    """What: a quoted text in a CSV file is never closed.
Why: everything after the quote, rows included, would be part of that one text, so no row can be skipped safely.
Instead: close the quote; a quote within a quoted text is written twice.""",
)
SOURCE_CHANGED = rule(
    "E026",
    "source-changed",
    """What: an input is not what it was when its plant began: it was replaced, written again, or cut.
Why: what was committed is a number of rows; in another file the next row is another one.
Instead: put the file back as it was, or run from the start. A file that only grew is the same.""",
)
NOT_REREADABLE = rule(
    "E027",
    "not-rereadable",
    """What: a role is to be restarted whose input cannot be read again: stdin, a pipe, an iterable, a function.
Why: a successor would have to begin with rows that are gone.
Instead: give it a file, or set `restart = "never"` for that ingress.""",
)
NOT_EXACT = rule(
    "E028",
    "output-not-exact",
    """What: a role is to be restarted whose output cannot be taken back: stdout, a pipe, a device, a function.
Why: a successor cuts off what was written and not committed; what has left cannot be cut off.
Instead: give it a file, or set `restart = "never"` for that egress.""",
)
SPOOL_CUT = rule(
    "E029",
    "spool-cut",
    """What: the records kept for an output are fewer than were committed.
Why: somebody removed or cut the hidden file beside the output; what was in it cannot be made again.
Instead: run from the start; leave files whose names end in `.spool` alone while a plant is there.""",
)
NO_ROOM = rule(
    "E030",
    "no-room",
    """What: the file system of an output is full, or this user's share of it, or the file is as long as files may be.
Why: the records of a plant's output are kept beside it, and the file is made of them at the end: both need room.
Instead: make room, or write to another place; a plant that was kept goes on with `byteor run --resume DIR`.""",
)
