"""The T codes of lanes: what can be asked of a lane and cannot be had. From T030 on; below are those of regions.

Rule 1. Standard library only: whoever explains a code need not load numpy.
Rule 2. The path of a finding is the lane's: its file, or the name that it was given.
"""

from __future__ import annotations

from byteor.diag import rule

BAD_NAME = rule(
    "T030",
    "bad-lane-name",
    """What: the name of a lane cannot be the name of a file in the folder of lanes.
Why: a lane is one file, and its name is the file's; a name with a `/` would leave the folder.
Instead: give a name such as `ticks`, and the folder as `folder=`.""",
)
BAD_OPTION = rule(
    "T031",
    "bad-lane-option",
    """What: a lane was asked for with an option that its kind does not have, or with a value that it cannot have.
Why: what a lane is gets fixed at its creation, so nothing is guessed there.
Instead: see `help(byteor.lanes.create)`.""",
)
BAD_TYPE = rule(
    "T032",
    "bad-message-type",
    """What: the numpy type cannot be the type of messages that two processes exchange.
Why: messages are bytes of a fixed length, in the byte order of this machine; a Python object in them is an address
that means nothing elsewhere.
Example: a type with an `object` field, one of the other byte order, one without bytes.
Instead: use numbers, `S` fields and sub-arrays; for bytes of any length, give `slot_bytes=` and no type.""",
)
TOO_LONG = rule(
    "T033",
    "message-too-long",
    """What: a message is longer than the slots of its lane.
Why: slots have one size, fixed at creation; a message is never cut.
Instead: create the lane with a larger `slot_bytes`, or send the message in parts.""",
)
OTHER_TYPE = rule(
    "T034",
    "other-message-type",
    """What: what was to be sent, or to be received into, is of another type than the lane's messages.
Why: it would have to be converted, silently and with losses; a lane moves bytes as they are.
Instead: make it of the lane's type, `lane.dtype`.""",
)
NO_CELL = rule(
    "T035",
    "no-free-cell",
    """What: every cell of this sort is taken by somebody who lives, or is closed or detached.
Why: each producer has a ring of its own and each reader a gate of its own; how many was fixed at creation.
Instead: wait for one to leave, or create the lane with more; `byteor inspect` says who has them.""",
)
IN_USE = rule(
    "T036",
    "cell-in-use",
    """What: a cell was to be taken over or detached while its owner lives.
Why: two owners of one cell would overwrite each other's messages.
Instead: end the owner first; `byteor inspect` names it.""",
)
CANNOT_BLOCK = rule(
    "T037",
    "cannot-block",
    """What: an end wants to sleep on its doorbell, and the lane was created without doorbells.
Why: a sender that rings pays for it at every message, so it does so only where somebody may sleep.
Instead: create the lane with `may_block=True`, or wait by `backoff`, `yield` or `spin`.""",
)
NOT_COMPILED = rule(
    "T038",
    "no-compiled-end",
    """What: a lane of raw bytes was asked for its compiled end.
Why: compiled code exchanges records of one size.
Instead: create the lane with a numpy type.""",
)
UNKNOWN_KIND = rule(
    "T039",
    "unknown-lane-kind",
    """What: the region is none of the kinds that are lanes of ours.
Why: layouts for interchange, plants and roles are regions too, and are looked at by other commands.
Instead: `byteor inspect` says what it is.""",
)
SEGMENT_MISSING = rule(
    "T040",
    "segment-missing",
    """What: a journal that keeps all its records lacks the file of one of its segments.
Why: segments are files beside the journal's own, `NAME.00000000` and on; without one, records are missing.
Instead: put the file back; what is left can be read from the segment behind it (`lane.replay`).""",
)
SEGMENT_DIFFERS = rule(
    "T041",
    "segment-differs",
    """What: a file has the name of a journal's segment, and is not that segment.
Why: each segment holds its number and the generation of its journal; a file of a journal that was removed, or one
that was renamed, has others.
Instead: move it away, or remove it by `byteor rm`; the journal's own segments are never replaced.""",
)
JOURNAL_DAMAGED = rule(
    "T042",
    "journal-damaged",
    """What: a record of a journal is not what it must be: its head, its length or its number is wrong.
Why: a writer cannot make such a record; the machine lost power while the records were not on the disk yet
(see `fsync`), or something else wrote the file.
Instead: `lane.verify()` says how far the journal is sound; records up to there can be read. A writer does not go on
behind damage: make a journal anew, and copy into it what is sound.""",
)
BAD_SCHEMA = rule(
    "T043",
    "bad-schema-text",
    """What: a region holds a text of its message type that says no type, or another one than its hash is of.
Why: the text is there for those who open a lane without a type; it is believed only when it is canonical and its hash
is the region's.
Instead: open the lane with its type; if that is refused too (T018), the region is damaged: remove it, make it anew.""",
)
BAD_ENVELOPE = rule(
    "T044",
    "bad-envelope",
    """What: a message of an enveloped lane does not open with a header of `indexbus-msg`, or one cannot be made.
Why: the header says codec, schema, type, version and length; without it nobody knows what the payload is. A message
that was received so counts as received: the reader goes on behind it.
Instead: send `byteor.lanes.Envelope(payload, type=...)`; from other languages, write the header of `indexbus_v1.h`.""",
)
