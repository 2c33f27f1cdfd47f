"""The W codes: what can be wrong with a request to the browser's boundary, and with the studio that is served.

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
NO_INTERFACE = rule(
    "W003",
    "no-interface",
    """What: the studio's interface is not among the files of this installation.
Why: it is built from `web/`, and stands in released wheels; a checkout has it once it is built.
Instead: install a released wheel, or run `make studio` in the checkout.""",
)
NO_RUNTIME = rule(
    "W004",
    "no-runtime",
    """What: the studio's Python for browsers is not installed.
Why: it is a distribution of its own, so that who needs no studio does not carry it.
Instead: `pip install 'byteor[studio]'`.""",
)
