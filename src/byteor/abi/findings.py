"""The A codes: what can be wrong with a layout before a byte of it is trusted."""

from __future__ import annotations

from byteor.diag import rule

BAD_PARAMETER = rule(
    "A001",
    "bad-parameter",
    """What: a parameter of a region's layout is missing, or outside of what its kind allows.

Why: offsets are computed from the parameters; wrong ones would make words and slots overlap. In a region that
was opened, such a value means that the region is damaged or was made by something else.

Example: a lane with a capacity of 1,000, which is no power of two.

Instead: give a value within the bounds that the finding names; a damaged region is removed and made anew.""",
)
REGION_TOO_LARGE = rule(
    "A002",
    "layout-too-large",
    """What: the region would have 4 GiB or more.

Why: the size of a region is a 32-bit number in its header.

Example: a lane of 16,777,216 slots of 256 bytes.

Instead: take a smaller capacity or smaller slots; a lane need only cover the time that its readers lag.""",
)
SHAPE_DIFFERS = rule(
    "A003",
    "shape-differs",
    """What: the parts of a region's header contradict each other: the size, the layout hash or the capabilities
are not those of the shape that stands beside them.

Why: each of them follows from the shape; if they differ, the region is damaged, or it was made by a version
that lays this kind out otherwise.

Example: a shape with `lengths = 1` without the capability bit for lengths.

Instead: remove the region and make it anew, with the version that is going to use it.""",
)
