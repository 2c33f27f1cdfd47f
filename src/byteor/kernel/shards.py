"""Several rings as one stream: rows scattered over shards, gathered again in the order they came.

Rule 1. `routes` says, in the order of the ingress, to which shard each message went. It is a ring of its
        own, as long as all shards together: where a shard has room, so has it, and its words are enough.
Rule 2. What was scattered is published before anybody waits: cursors first, then the route's.
Rule 3. The message that is gathered next always lies in a ring already, so nobody waits for an empty shard.
Rule 4. The slots of all shards lie in one array, a ring every so many of its slots: see `backings.mem`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from byteor.abi.byteor_v1 import LAST
from byteor.kernel.atomics import load_relaxed, store_release
from byteor.kernel.hot import hot
from byteor.kernel.ring import is_dead
from byteor.kernel.wait import least, ring, wait_past


class Routes(NamedTuple):
    """The words of the shards, one of each a shard, and of the route: its cursor and the egress's place.

    `capacity` is that of one shard.
    """

    cursors: Any
    gates: Any
    boundaries: Any  # cells that free a slot for the ingress
    sinks: Any  # cells that give a slot to the egress
    route: int
    gathered: int
    capacity: int


@hot
def publish(routes, at, place, bells):
    """Let everybody see what was scattered."""
    for shard in range(len(at)):
        store_release(routes.cursors[shard], at[shard])  # SYNC: pairs with `least` of the shard's first stages
    store_release(routes.route, place)  # SYNC: pairs with the acquire in `gather`, by `wait_past`
    ring(bells)


@hot
def put(routes, slots, shards, owners, rows, at, seen, place):
    """Write `rows`, each in the ring of its owner, up to the first whose ring is full; answer how many."""
    capacity, stride = routes.capacity, len(slots) // len(at)
    mask, around = (capacity - 1) & LAST, (len(shards) - 1) & LAST  # seen to be positive
    for i in range(len(rows)):
        shard = owners[i]
        if at[shard] - seen[shard] == capacity:
            return i
        slots[shard * stride + (at[shard] & mask)] = rows[i]
        shards[(place + i) & around] = shard
        at[shard] += 1
    return len(rows)


@hot
def scatter(routes, slots, shards, owners, rows, at, seen, waiter, bells, limit):
    """Publish `rows`, each in the ring of its owner, as room comes; answer how many were taken.

    `at` and `seen` are the ingress's own: the shards' cursors, and the gates it saw last.
    """
    place = load_relaxed(routes.route)  # its own word
    taken = 0
    while taken < len(rows):
        shard = owners[taken]
        if at[shard] - seen[shard] == routes.capacity:
            seen[shard] = wait_past(routes.boundaries[shard], at[shard] - routes.capacity, waiter)
            if at[shard] - seen[shard] == routes.capacity:
                break
        until = min(taken + limit, len(rows))
        count = put(routes, slots, shards, owners[taken:until], rows[taken:until], at, seen, place)
        taken += count
        place += count
        publish(routes, at, place, bells)
    return taken


@hot
def gather(routes, slots, shards, dead, marks, out, at, waiter, bells):
    """Copy the rows that are live into `out`, in the order they were scattered; answer how many.

    Waits for the first; 0 is also the answer when all that was there had been taken out.
    """
    stride, mask = len(slots) // len(at), routes.capacity - 1
    start = load_relaxed(routes.gathered)  # its own word
    routed = wait_past((routes.route,), start, waiter)
    place = start
    count = 0
    while place < routed and count < len(out):
        shard = shards[place & (len(shards) - 1)]
        available = least(routes.sinks[shard])
        if available == at[shard] and place == start:
            available = wait_past(routes.sinks[shard], at[shard], waiter)
        if available == at[shard]:
            break
        while at[shard] < available and place < routed and count < len(out):
            if shards[place & (len(shards) - 1)] != shard:
                break
            slot = shard * stride + (at[shard] & mask)
            if not is_dead(dead, marks, slot):
                out[count] = slots[slot]
                count += 1
            at[shard] += 1
            place += 1
    for shard in range(len(at)):
        store_release(routes.gates[shard], at[shard])  # SYNC: pairs with `wait_past` in `scatter`
    store_release(routes.gathered, place)
    ring(bells)
    return count
