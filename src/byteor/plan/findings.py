"""The codes of a plan's text: how a document can be wrong before anybody asks what it means.

Rule 1. One code for each way; TOML and JSON share them.
"""

from __future__ import annotations

from byteor.diag import rule

EMPTY = rule(
    "P001",
    "empty-document",
    """What: there is nothing in the document.
Why: an empty file is a broken transfer more often than a plan.
Example: a file of zero bytes.
Instead: `byteor new` writes a plan to start from.""",
)
BINARY = rule(
    "P002",
    "binary",
    """What: the document holds zero bytes.
Why: it is no text.
Example: a Parquet file given as a plan.
Instead: check that this is the file that was meant.""",
)
NOT_UTF8 = rule(
    "P003",
    "not-utf8",
    """What: the document is not UTF-8.
Why: TOML and JSON are UTF-8, and a guess at another encoding changes names silently.
Example: a file saved as Latin-1, with an umlaut in its title.
Instead: save it as UTF-8.""",
)
BOM = rule(
    "P004",
    "byte-order-mark",
    """What: the document starts with a byte order mark.
Why: neither TOML nor JSON has one.
Example: a file saved as "UTF-8 with BOM".
Instead: save it without one.""",
)
RETURN = rule(
    "P020",
    "carriage-return",
    """What: lines end with carriage return and line feed.
Why: the same plan is the same bytes everywhere, as its spec is; an editor on Windows may write such ends.
Example: a plan saved with "CRLF".
Instead: save it with line feeds alone ("LF").""",
)
TOO_LARGE = rule(
    "P005",
    "too-large",
    """What: the document is larger than 16 MiB.
Why: size is capped before anything is read, so that no document can exhaust memory.
Example: a recording given as a plan by mistake.
Instead: check that this is the file that was meant.""",
)
LONG_LINE = rule(
    "P006",
    "long-line",
    """What: a line has more than 1,048,576 characters.
Why: a plan is written for people; such a line comes from another kind of file.
Example: ten megabytes without a line end.
Instead: check that this is the file that was meant.""",
)
DEEP = rule(
    "P007",
    "too-deep",
    """What: tables, lists or dotted keys are nested more than 32 deep.
Why: a plan is at most 6 deep; deeper documents are made to break readers.
Example: ten thousand opening brackets.
Instead: check that this is the file that was meant.""",
)
TOML = rule(
    "P008",
    "toml-syntax",
    """What: the document is not well-formed TOML; the line is the first statement that breaks it.
Why: nothing can be read with certainty behind the place where the form breaks.
Example: `name = flights`, a string without quotes.
Instead: mend the line.""",
)
JSON = rule(
    "P009",
    "json-syntax",
    """What: the document begins with `{`, so it is JSON, and it is not well-formed.
Why: nothing can be read with certainty behind the place where the form breaks.
Example: a trailing comma.
Instead: mend the line.""",
)
DUPLICATE = rule(
    "P010",
    "duplicate-key",
    """What: a key is given twice in a table, or a table twice.
Why: taking the first or the last would hide one of the two values.
Example: `capacity = 1024` and, below it, `capacity = 4096`.
Instead: keep one of them.""",
)
NOT_FINITE = rule(
    "P011",
    "not-finite",
    """What: a number is NaN or infinite.
Why: parameters are hashed and compared, and NaN equals nothing.
Example: `params = { limit = nan }`.
Instead: write a finite number; a field's null is the text `"nan"`.""",
)
SURROGATE = rule(
    "P012",
    "lone-surrogate",
    """What: a string holds half of a surrogate pair.
Why: it is no character and cannot be written as text.
Example: `"\\ud800"` in JSON.
Instead: write the character itself.""",
)
DIGITS = rule(
    "P013",
    "integer-range",
    """What: a number has more than 400 digits, or an integer does not fit 64 bits with sign.
Why: every number of a plan fits an i64 or an f64.
Example: an integer of 5,000 digits.
Instead: write a smaller number.""",
)
DATE = rule(
    "P014",
    "date",
    """What: a TOML date or time stands where another value belongs.
Why: no key of a plan takes one, and its text would depend on a time zone.
Example: `params = { since = 2013-01-01 }`.
Instead: write a string, or a number of seconds.""",
)
VERSION = rule(
    "P016",
    "plan-version",
    """What: `plan` is missing or is not 2.
Why: a reader that guesses the version reads another version's document wrongly.
Example: a document without `plan = 2`.
Instead: begin with `plan = 2`.""",
)
MISSING = rule(
    "P017",
    "missing-key",
    """What: a key without a default is not there.
Why: lowering never guesses.
Example: a `[[stage]]` without `name`.
Instead: add the key.""",
)
UNKNOWN = rule(
    "P018",
    "unknown-key",
    """What: a key is none of a plan's.
Why: a misspelt key that was ignored would leave its default in force.
Example: `capcity = 1024`.
Instead: correct or remove it; free words belong in `[labels]`.""",
)
WRONG_TYPE = rule(
    "P019",
    "wrong-type",
    """What: a value has another type than its key takes.
Why: nothing is converted.
Example: `capacity = "1024"`, a string.
Instead: write the value in its own type.""",
)

READING = {
    "missing": MISSING,
    "unknown": UNKNOWN,
    "type": WRONG_TYPE,
    "range": DIGITS,
    "number": NOT_FINITE,
    "date": DATE,
}
SYNTAX = {
    "duplicate": (DUPLICATE, "the key is already given"),
    "number": (NOT_FINITE, "the number is not finite"),
    "digits": (DIGITS, "the number has more than 400 digits"),
    "surrogate": (SURROGATE, "the string holds half of a surrogate pair"),
    "deep": (DEEP, "tables, lists or keys are nested more than 32 deep"),
}
