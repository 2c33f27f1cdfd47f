"""The W codes: what can be wrong with a request to the browser's boundary.

Rule 1. A request is judged before the document in it is.
"""

from __future__ import annotations

from byteor.diag import rule

TOO_LARGE = rule(
    "W001",
    "request-too-large",
    """What: the request to the browser's boundary is longer than it takes.
Why: a page answers while its reader types; a document of this size would keep it waiting.
Instead: use the command line, which takes larger documents.""",
)
BAD_REQUEST = rule(
    "W002",
    "bad-request",
    """What: the request is not a JSON object with the keys that the question takes.
Why: a question that is only half understood would get an answer to another one.
Instead: give the keys that the help names; the typed client does.""",
)
