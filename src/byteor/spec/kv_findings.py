"""The codes of the kv text form and of the JSON form of a spec.

Rule 1. One code for each way a text can be wrong; what the values mean is for the S codes.
"""

from __future__ import annotations

from byteor.diag import rule

VERSION = rule(
    "K001",
    "form-version",
    """What: the document does not begin with the version of its form, or with one that this build does not read.
Why: a reader that guesses the version reads a newer document wrongly.
Example: a kv document whose first line is `kind=single_ring`.
Instead: begin with `byteor.kv=1` (in JSON: `"byteor": 1`).""",
)
KIND = rule(
    "K002",
    "unknown-kind",
    """What: `kind` is missing or names no shape.
Why: a spec is exactly one of two shapes, and its keys depend on which.
Example: `kind=ring`.
Instead: `kind=single_ring` or `kind=lane_graph`.""",
)
NOT_A_PAIR = rule(
    "K003",
    "not-a-pair",
    """What: a line has no `=`.
Why: every line that is not blank and not a comment is one `key=value`.
Example: `single_ring.shards 1`.
Instead: write `single_ring.shards=1`, or begin a comment with `#`.""",
)
BAD_KEY = rule(
    "K004",
    "bad-key",
    """What: a key is not a path of lower-case names and indices joined by dots, or has more than 16 parts.
Why: keys name fields of the model, and those look like this.
Example: `single_ring..shards=1`.
Instead: write the key as `byteor lower` prints it.""",
)
DUPLICATE = rule(
    "K005",
    "duplicate-key",
    """What: a key is given twice.
Why: taking the first or the last would hide one of the two values.
Example: `single_ring.shards=1` and later `single_ring.shards=2`.
Instead: keep one of them.""",
)
GAP = rule(
    "K006",
    "index-gap",
    """What: the indices of a list do not run 0, 1, 2 and so on.
Why: a hole would be an entry that nobody wrote; a leading zero would make two keys of one index.
Example: `stages.0.name` and `stages.2.name` without `stages.1.name`.
Instead: number the entries from 0 without holes.""",
)
BAD_VALUE = rule(
    "K007",
    "bad-value",
    """What: a value does not read as its key's type, or a group stands where a value belongs.
Why: integers are decimal without leading zeros or plus, booleans are `true` and `false`, and nothing is converted.
Example: `single_ring.shards=one`.
Instead: write the value as `byteor lower` prints it.""",
)
MISSING = rule(
    "K008",
    "missing-key",
    """What: a key that every spec of the shape has is not there.
Why: a spec says everything; there are no defaults that could change between versions.
Example: a document without `single_ring.capacity`.
Instead: add the key, or write a plan and lower it: plans have defaults.""",
)
UNKNOWN = rule(
    "K009",
    "unknown-key",
    """What: a key is not one of the shape's.
Why: it may come from a newer writer, and then it is ignored; it may also be misspelt.
Example: `single_ring.shard=1`.
Instead: correct or remove the key. `run` and `convert` refuse such documents unless told otherwise.""",
    severity="warning",
)
NOT_ASCII = rule(
    "K010",
    "not-ascii",
    """What: a line holds a character that is not printable ASCII.
Why: the same spec has to be the same bytes everywhere.
Example: a tab, an umlaut, or a typographic quote.
Instead: use printable ASCII.""",
)
TOO_LARGE = rule(
    "K011",
    "too-large",
    """What: the document is larger than 64 MiB.
Why: size is capped before anything is read, so that no document can exhaust memory.
Example: a recording given as a spec by mistake.
Instead: check that this is the file that was meant.""",
)
LONG_LINE = rule(
    "K012",
    "long-line",
    """What: a line has more than 4,096 characters.
Why: no key and no value of a spec needs that; such a line comes from another kind of file.
Example: a document whose line ends were lost.
Instead: check that this is the file that was meant.""",
)
RETURN = rule(
    "K013",
    "carriage-return",
    """What: lines end with carriage return and line feed.
Why: the hash is taken over bytes, and such a document has other bytes than its canonical form.
Example: a file saved by an editor that writes CRLF.
Instead: save it with line feeds alone.""",
)
BOM = rule(
    "K014",
    "byte-order-mark",
    """What: the document starts with a byte order mark.
Why: the form is ASCII; a mark is no part of it.
Example: a file saved as "UTF-8 with BOM".
Instead: save it without one.""",
)
EMPTY = rule(
    "K015",
    "empty-document",
    """What: there is nothing in the document.
Why: an empty file is a broken transfer more often than a spec.
Example: a file of zero bytes.
Instead: check how the file was made.""",
)
WHITE_SPACE = rule(
    "K016",
    "white-space",
    """What: white space stands around a key or a value.
Why: it would be invisible, and yet change the hash.
Example: `single_ring.shards = 1`.
Instead: write `single_ring.shards=1`.""",
)
CONFLICT = rule(
    "K017",
    "value-and-group",
    """What: a key is used both as a value and as a group of further keys.
Why: one of the two would be lost.
Example: `single_ring.ingress=in` beside `single_ring.ingress.name=in`.
Instead: keep the one that the shape has.""",
)
RANGE = rule(
    "K018",
    "integer-range",
    """What: an integer does not fit 64 bits with sign.
Why: every number of the model fits an i64.
Example: `single_ring.capacity=18446744073709551616`.
Instead: write a number between -2^63 and 2^63-1.""",
)
BINARY = rule(
    "K019",
    "binary",
    """What: the document is not text.
Why: it holds zero bytes, or bytes that are no UTF-8.
Example: a Parquet file given as a spec.
Instead: check that this is the file that was meant.""",
)
JSON_SYNTAX = rule(
    "K020",
    "json-syntax",
    """What: the document is not well-formed JSON.
Why: nothing can be read with certainty behind the place where the form breaks.
Example: a trailing comma.
Instead: mend the line; the finding names the first that is wrong.""",
)
JSON_DEEP = rule(
    "K021",
    "json-too-deep",
    """What: objects and lists are nested more than 32 deep.
Why: a spec is at most 8 deep; deeper documents are made to break readers.
Example: ten thousand opening brackets.
Instead: check that this is the file that was meant.""",
)
JSON_NUMBER = rule(
    "K022",
    "json-number",
    """What: a number is not finite or has more than 400 digits.
Why: JSON has no NaN and no infinity, and no number of a spec is that long.
Example: `NaN`.
Instead: write a decimal integer.""",
)
JSON_SURROGATE = rule(
    "K023",
    "json-surrogate",
    """What: a string holds half of a surrogate pair.
Why: it is no character and cannot be written as text.
Example: `"\\ud800"`.
Instead: write the character itself.""",
)
UNWRITABLE = rule(
    "K024",
    "unwritable",
    """What: a spec made in Python holds a value that the text form cannot carry.
Why: values are integers within 64 bits, booleans, and printable ASCII without outer white space.
Example: a stage named `risk ` with a blank at its end.
Instead: mend the value; `validate` names it as well.""",
)

READING = {
    "missing": MISSING,
    "unknown": UNKNOWN,
    "gap": GAP,
    "type": BAD_VALUE,
    "range": RANGE,
    "number": JSON_NUMBER,
    "date": BAD_VALUE,
}
JSON = {
    "syntax": JSON_SYNTAX,
    "duplicate": DUPLICATE,
    "number": JSON_NUMBER,
    "digits": JSON_NUMBER,
    "surrogate": JSON_SURROGATE,
    "deep": JSON_DEEP,
}
JSON_SAYS = {
    "syntax": "the line is not well-formed JSON",
    "duplicate": "the key is already given in this object",
    "number": "the number is not finite",
    "digits": "the number has more than 400 digits",
    "surrogate": "the string holds half of a surrogate pair",
    "deep": "objects and lists are nested more than 32 deep",
}
