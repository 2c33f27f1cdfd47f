"""The T codes: what can be wrong with a region of shared memory, before a word of it is believed.

Rule 1. Standard library only: whoever explains a code need not load numpy.
Rule 2. The path of a finding is the path of the region's file.
"""

from __future__ import annotations

from byteor.diag import rule

NOT_LINUX = rule(
    "T001",
    "not-linux",
    """What: memory between processes was asked for on a system that is not Linux.
Why: who is alive is told by open-file-description locks, and only Linux has them as they are needed here.
Instead: run the plan in one process (`mem`), which works everywhere; or run it on Linux.""",
)
BAD_PATH = rule(
    "T002",
    "bad-region-path",
    """What: the path given for a region cannot be the path of a file.
Why: a region is one file in a folder, so its path ends in a name, and that name is one that the system takes.
Example: an empty path, one that ends in `/`, one that holds a null character, a name of 300 letters.
Instead: give a path such as `/dev/shm/ticks`.""",
)
NO_FOLDER = rule(
    "T003",
    "directory-missing",
    """What: the folder of the region is not there, or is not a folder.
Why: byteor makes files, not the folders that they lie in: a misspelt folder would hide the region.
Instead: make the folder, or use `/dev/shm`.""",
)
MISSING = rule(
    "T004",
    "region-missing",
    """What: there is no region under this path.
Why: only one side creates a region; the other opens it, and never makes one by mistake.
Instead: start the side that creates it first; `byteor lanes` lists what is there.""",
)
EXISTS = rule(
    "T005",
    "already-exists",
    """What: a region was to be created, and something has its name already.
Why: an existing file is never replaced: somebody may be working in it.
Instead: open it, or remove it first with `byteor rm`, which refuses while its owners live.""",
)
NO_PERMISSION = rule(
    "T006",
    "no-permission",
    """What: the operating system does not let this user open, create or remove the region here.
Why: the file belongs to another user, its folder may not be written, or its file system cannot do it.
Instead: run as the user who owns the region, or choose another folder.""",
)
NO_SPACE = rule(
    "T007",
    "no-space",
    """What: the whole region could not be allocated.
Why: regions are allocated, not sparse: a full file system is told here, once, and not by a killed process later.
Instead: make room, make the file system larger (`mount -o remount,size=2g /dev/shm`), or lower the capacity;
the system may also limit this user (`ulimit -f`, quotas).""",
)
SYMLINK = rule(
    "T008",
    "symbolic-link",
    """What: the path names a symbolic link.
Why: in a folder that others may write, a link could lead to any file of yours; so none is followed.
Instead: give the path of the file itself.""",
)
NOT_A_REGION = rule(
    "T009",
    "not-a-region",
    """What: the path names something that is not a file: a folder, a pipe, a socket or a device.
Why: only an ordinary file can be a region.
Instead: check the path.""",
)
WRONG_OWNER = rule(
    "T010",
    "wrong-owner",
    """What: the file belongs to another user than the one who opens it.
Why: who may write a region decides what its readers see; even the superuser trusts only what is its own.
Instead: run both sides as one user.""",
)
WRONG_MODE = rule(
    "T011",
    "wrong-mode",
    """What: the permissions of the file are not 0600.
Why: a region is created for its owner alone; other permissions mean that others may have written it.
Instead: find out who changed them; then remove the region and create it again.""",
)
NOT_OURS = rule(
    "T012",
    "not-ours",
    """What: the file does not begin with the word that every region begins with.
Why: it is a file of something else, or was written by a machine of the other byte order.
Instead: check the path. byteor does not touch such a file, and does not remove it either.""",
)
WRONG_VERSION = rule(
    "T013",
    "wrong-version",
    """What: the region is of another version of the layouts than this build reads.
Why: what lies where is fixed within a version; of another version nothing is known.
Instead: run both sides with builds of one version, or remove the region and create it again.""",
)
WRONG_KIND = rule(
    "T014",
    "wrong-kind",
    """What: the region is of another kind than the one asked for.
Why: a journal read as a ring would be read wrongly without a sign of it.
Instead: open it as what it is; `byteor inspect` says what that is.""",
)
NO_CAPABILITY = rule(
    "T015",
    "missing-capability",
    """What: the region lacks a capability that this side cannot do without.
Why: capabilities are fixed at creation: what is not there cannot be added while others work in the region.
Instead: create the region with the capability; both sides must want the same.""",
)
UNKNOWN_CAPABILITY = rule(
    "T016",
    "unknown-capability",
    """What: the region has a required capability that this side does not know.
Why: bits 0 to 15 change what the words of a region mean; whoever does not know one would misread them.
Bits 16 to 31 are optional, and unknown ones are ignored.
Instead: use a build that knows it, or create the region without it.""",
)
WRONG_LAYOUT = rule(
    "T017",
    "wrong-layout",
    """What: the layout of the region is not the one that this side computed: the hashes differ.
Why: another capacity, another number of readers or another slot size puts every word elsewhere.
Instead: give both sides the same parameters; `byteor inspect` prints those of the region.""",
)
WRONG_SCHEMA = rule(
    "T018",
    "wrong-schema",
    """What: the records of the region are of another type than those of this side: the hashes differ.
Why: two types of one size would exchange nonsense silently.
Instead: give both sides the same type, field by field.""",
)
TOO_SMALL = rule(
    "T019",
    "file-too-small",
    """What: the file, or the layout that its header states, is shorter than it has to be.
Why: the file was cut short or never written whole; a word behind its end would kill the process that reads it.
Instead: remove the region and create it again.""",
)
TOO_LARGE = rule(
    "T020",
    "file-too-large",
    """What: the region is larger than it may be: a layout of 4 GiB or more, or a file longer than its layout.
Why: the header states the size in 32 bits, and a file is as long as its header says, or somebody changed one of them.
Instead: lower the capacity or the slot size; a file of a wrong length is removed and created again.""",
)
NOT_READY = rule(
    "T021",
    "not-initialised",
    """What: the region says that its creator has not finished it, and did not finish it in the time given.
Why: nothing in it can be believed before that; a creator that died leaves it so for ever.
Instead: wait longer if the creator is alive; else remove the region and create it again.""",
)
BAD_STATE = rule(
    "T022",
    "bad-state",
    """What: the word `initialized` of the header is none of 0, 1 and 2.
Why: no creator writes such a value, so the header is damaged.
Instead: remove the region and create it again.""",
)
OTHER_GENERATION = rule(
    "T023",
    "other-generation",
    """What: the region was removed and created again since this side last knew it.
Why: positions of the old one mean nothing in the new one; to go on from them would lose or repeat messages.
Instead: start this side anew too.""",
)
OWNERS_ALIVE = rule(
    "T024",
    "owners-alive",
    """What: the region was to be removed, and a live process holds one of its cells.
Why: that process would go on in memory that nobody else can find.
Instead: end the process first; `byteor inspect` names the owners.""",
)
REMOVED = rule(
    "T025",
    "region-removed",
    """What: the file of the region was removed while this side had it open.
Why: what is in it can still be read here, but no other process will ever find it.
Instead: open or create the region again.""",
)
NOT_PINNED = rule(
    "T026",
    "not-pinned",
    """What: the region was to be kept in memory (`mlock`), and the system refused.
Why: a user may pin only so much; a run that asked for it does not go on without it.
Instead: raise the limit (`ulimit -l`), or do without `mlock`.""",
)
