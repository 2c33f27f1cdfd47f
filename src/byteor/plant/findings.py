"""The X codes of plants: what can be wrong with a plant's folder, and with the processes of its roles. From X040 on.

Rule 1. Standard library only: whoever explains a code need not load numpy.
Rule 2. The path of a finding is a role's name, or the plant's folder.
"""

from __future__ import annotations

from collections.abc import Iterable

from byteor.diag import Diagnostic, rule
from byteor.fabric import findings as links

HELD = rule(
    "X040",
    "plant-held",
    """What: a live supervisor holds the plant's folder.
Why: two supervisors would start every role twice. Who lives is told by a lock that the kernel releases.
Instead: wait for its end or stop it, or run the second plant in a folder of its own.""",
)
REGION_LOST = rule(
    "X041",
    "region-lost",
    """What: a region of the plant is gone, or was made again under its name.
Why: the positions of the roles hold for the very region in which they were written; in another one they would lose
or repeat records.
Instead: run the plant from the start in a new folder; what the old one had not written is lost.""",
)
NOT_A_PLANT = rule(
    "X042",
    "not-a-plant",
    """What: the folder has no manifest of a plant that this build can read.
Why: the manifest says what ran there; without it nothing can be continued.
Instead: give the folder that a run printed, or list the plants with `byteor status`.""",
)
NOT_PRIVATE = rule(
    "X043",
    "folder-not-private",
    """What: the plant's folder belongs to another user, or others may enter it.
Why: what lies there is mapped and trusted word by word.
Instead: `chmod 700` a folder of your own, or let byteor make it.""",
)
TAKEN = rule(
    "X044",
    "folder-taken",
    """What: a new plant was to be made in a folder that is not empty.
Why: a plant owns its folder, and removes it with all that is in it.
Instead: name a new folder; a plant that was left there is continued with `byteor run --resume DIR`.""",
)
ROLE_DIED = rule(
    "X045",
    "role-died",
    """What: the process of a role ended without saying how.
Why: it was killed, by a signal, by the kernel when memory ran out, or by a fault in native code.
Instead: look at what it printed last; with `restart = "on_failure"` a successor continues exactly.""",
)
RESTART_LIMIT = rule(
    "X046",
    "restart-limit",
    """What: a role ended once more than its `limit` allows.
Why: what fails again and again is no accident; to go on would hide it.
Instead: mend what the last end says; `byteor run --resume DIR` then continues. Or raise `limit`.""",
)
ROLE_FAILED = rule(
    "X047",
    "role-failed",
    """What: the code of a role raised an error that is none of a stage's.
Why: its connections, its files or the machine refused something that nobody foresaw.
Instead: look at the error; the role's own output, shown under its name, has the whole of it.""",
)
NO_FORKSERVER = rule(
    "X048",
    "no-forkserver",
    """What: the process from which roles are forked could not do its work.
Why: it loads byteor and numba once for all roles, and must have one thread when it forks.
Instead: look at what it printed; a module that starts threads when it is imported cannot be preloaded.""",
)
REGION_CUT = rule(
    "X049",
    "region-cut",
    """What: a role died of SIGBUS, and a region of the plant is shorter than its header says.
Why: somebody cut the file while it was in use. What was there is lost, so nothing is restarted.
Instead: find out who did; nothing of byteor ever cuts a region.""",
)
NO_SUPERVISOR = rule(
    "X050",
    "no-supervisor",
    """What: a role was started by hand, and nobody supervises the plant in that folder.
Why: a role stops when its supervisor is gone, so it does not begin without one.
Instead: start the plant first, or run the role with `--alone`.""",
)
NO_ROLE = rule(
    "X051",
    "no-role",
    """What: the plant has no role of that name.
Why: a role is started by its name alone; a name that is none is most likely misspelt.
Instead: use a name that `byteor status` lists.""",
)
ROLE_HELD = rule(
    "X052",
    "role-held",
    """What: a live process already runs this role.
Why: two processes with one record would commit over each other. Who lives is told by a lock that the kernel releases.
Instead: wait for its end, or stop it.""",
)
STAGE_CHANGED = rule(
    "X053",
    "stage-changed",
    """What: a role was started again, and its stage's code is not what it was when the plant began.
Why: what was committed came of the old code; the new one would continue what it did not begin.
Instead: put the old code back, or run the plant from the start.""",
)
NO_REPLAY = rule(
    "X054",
    "no-replay",
    """What: a journal cannot be played back into a plant.
Why: what is played back must be what the lane's readers saw, whole and in its order; else it would be another run.
Instead: tap the lane where its numbering starts, with `retain = "all"`; allow what is missing with `--gaps`.""",
)
SEVERAL = rule(
    "X060",
    "several-plants",
    """What: a plant was named, and several of that name are there.
Why: to guess would show, or end, the wrong one.
Instead: give the folder of the one that is meant.""",
)
NOT_AGAIN = rule(
    "X055",
    "not-again",
    """What: a stage of a ring in processes is to be restarted, and reads fields that it writes.
Why: its slots are changed in place: a successor would meet a batch that is half done, and change it twice.
Instead: let it write fields that it does not read, or say `restart = "never"`; roles of a lane graph may always.""",
)
NO_CORE = rule(
    "X056",
    "no-core",
    """What: a role is pinned to a core that is not on this machine, or that this process may not use.
Why: it would run anywhere, and what it was pinned for would be lost without a word.
Instead: name a core that is here, or leave it to `pinning = "balanced"`.""",
)
OTHER_RUN = rule(
    "X061",
    "part-of-another-run",
    """What: a host's folder holds its part of another run: the spec, the placement, or the word of the run is another.
Why: positions in lanes that cross hold for one run on all its hosts; in another one they would lose or repeat records.
Instead: put the documents back to go on; `--new` on every host gives up what is left, and starts anew.""",
)
NO_CERTIFICATE = rule(
    "X062",
    "no-certificate",
    """What: a file of `[tls]` is not there, or cannot be read, on the host that needs it.
Why: without it no link of this host could show who it is.
Instead: put it where the placement says; `{host}` in a path stands for the host's own name.""",
)
NO_HOST = rule(
    "X063",
    "no-host",
    """What: the placement has no host of that name.
Why: a host runs what stands under its name, and nothing else.
Instead: use a name of a `[[host]]`.""",
)
STATUSES = {HELD.code: 4, ROLE_HELD.code: 4, REGION_LOST.code: 5, OTHER_RUN.code: 5}
STATUSES |= {links.OTHER_RUN.code: 5, links.PEER_LOST.code: 5}
REFUSED = 2


def status_of(found: Iterable[Diagnostic]) -> int:
    """The exit status that these findings mean: 4 locked by another, 5 region lost, else 2."""
    return max((STATUSES.get(d.code, REFUSED) for d in found), default=REFUSED)
