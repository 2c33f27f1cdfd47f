"""The process from which roles are forked: it has loaded numpy, numba and byteor once, and waits.

    python -P -m byteor.plant.forkserver FD

Rule 1. It has one thread: a fork copies only the thread that forks, and the locks of all others stay locked.
Rule 2. Messages are JSON over the SOCK_SEQPACKET socket FD; descriptors go with them.
Rule 3. Each fork is answered by the pid and a pidfd, each end of a child by its status. Nothing is reaped before
    it was seen through its pidfd, so a pid means one process as long as it is spoken of.
Rule 4. A child keeps five descriptors: nothing on 0, its output on 1 and 2, its channel on 3. It ignores Ctrl-C and
    SIGTERM, which go to a whole group of processes: the supervisor decides what they mean.
Rule 5. When the supervisor is gone the server ends; its children live on.

    supervisor -> server: {"path": [...], "preload": [...]}                         once, first
                          {"ticket": n, "run": "module:function", "argument": {}}   with the channel and the output
    server -> supervisor: {"ready": pid}    {"ticket": n, "pid": p} with a pidfd    {"ticket": n, "refused": why}
                          {"pid": p, "status": s}: the status as `os.waitstatus_to_exitcode` gives it

A role's body is `function(teller, argument)`, called with a `channel.Teller` and the argument; it answers with the
exit status, None is 0.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import gc
import importlib
import json
import os
import select
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from byteor.diag import Refused
from byteor.plant.channel import FAILED, REFUSED, STARTING, Teller

# What a role needs; pyarrow is not here, for it starts threads when it is imported.
PRELOAD = ("numpy", "numba", "byteor.exec.resolve", "byteor.exec.run", "byteor.transport.regions")
POOLS = ("OMP", "OPENBLAS", "MKL", "BLIS", "VECLIB_MAXIMUM", "NUMEXPR")
LONGEST = 64 << 10
CHANNEL = 3
IGNORED = (signal.SIGINT, signal.SIGTERM)
_FD = struct.Struct("i")
Body = Callable[[Teller, dict[str, Any]], int | None]


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """The environment of a server: the pools of threads that libraries would open have one thread each."""
    return {**given, **{f"{pool}_NUM_THREADS": "1" for pool in POOLS}}


def tasks() -> int:
    """How many threads this process has."""
    return len(os.listdir("/proc/self/task"))


def send(end: socket.socket, message: dict[str, Any], fds: tuple[int, ...] = ()) -> None:
    """Send one message, and descriptors with it."""
    data = json.dumps(message).encode()
    if len(data) > LONGEST:
        raise ValueError(f"a message of {len(data)} bytes; the most is {LONGEST}")
    socket.send_fds(end, [data], fds)


def receive(end: socket.socket, flags: int = 0) -> tuple[dict[str, Any] | None, list[int]]:
    """One message and its descriptors; None when the other end is closed."""
    room = socket.CMSG_SPACE(2 * _FD.size)
    data, more, _, _ = end.recvmsg(LONGEST, room, flags | socket.MSG_CMSG_CLOEXEC)  # `recv_fds` takes no flags
    fds = [fd for _, kind, part in more if kind == socket.SCM_RIGHTS for (fd,) in _FD.iter_unpack(part)]
    return (json.loads(data) if data else None), fds


@dataclass(frozen=True, slots=True)
class Birth:
    """What a child does after it was forked."""

    run: str
    argument: dict[str, Any]
    channel: int
    output: int


@dataclass(slots=True)
class Server:
    """The loop of the server; `children` are its living ones, by pidfd."""

    end: socket.socket
    children: dict[int, int] = field(default_factory=dict)

    def serve(self) -> Birth | None:
        """Fork as asked; None in the server when the supervisor is gone, a birth in each child."""
        poll = select.poll()  # it has no descriptor of its own, which a child would have to close
        poll.register(self.end, select.POLLIN)
        while True:
            for fd, _ in poll.poll():
                if fd in self.children:
                    poll.unregister(fd)
                    self._ended(fd)
                    continue
                message, fds = receive(self.end)
                if message is None:
                    return None
                if self._fork(message["ticket"], poll):
                    return Birth(message["run"], message["argument"], *fds)
                for passed in fds:
                    os.close(passed)

    def _ended(self, pidfd: int) -> None:
        pid = self.children.pop(pidfd)
        os.close(pidfd)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        send(self.end, {"pid": pid, "status": status})

    def _fork(self, ticket: int, poll: select.poll) -> bool:
        """Whether this is the child."""
        if (threads := tasks()) != 1:
            send(self.end, {"ticket": ticket, "refused": f"it has {threads} threads, and must have one"})
            return False
        try:
            pid = os.fork()
        except OSError as error:  # the machine has no room for one more
            send(self.end, {"ticket": ticket, "refused": f"fork: {(error.strerror or '').lower()}"})
            return False
        if pid == 0:
            return True
        pidfd = os.pidfd_open(pid)
        self.children[pidfd] = pid
        poll.register(pidfd, select.POLLIN)
        send(self.end, {"ticket": ticket, "pid": pid}, (pidfd,))
        return False


def load(path: list[str], preload: list[str]) -> None:
    """Import what roles need, and call what is named as `module:function`.

    Where roles run compiled code, some is loaded, so that LLVM is set up in every child.
    """
    sys.path[:] = path
    for name in preload:
        module, _, function = name.partition(":")
        found = importlib.import_module(module)
        if function:
            getattr(found, function)()
    if "byteor.kernel.system" in sys.modules:
        from byteor.kernel.hot import short
        from byteor.kernel.system import sched_yield

        short(sched_yield)()
    gc.collect()
    gc.freeze()  # what is there stays shared with the children: no collection writes to it


def settle(birth: Birth) -> Teller:
    """Make the descriptors of a child what Rule 4 says."""
    nothing, output, channel = _above(os.open(os.devnull, os.O_RDONLY), birth.output, birth.channel)
    for target, fd in enumerate((nothing, output, output)):
        os.dup2(fd, target)
    os.dup2(channel, CHANNEL, inheritable=False)
    os.closerange(CHANNEL + 1, os.sysconf("SC_OPEN_MAX"))
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    return Teller(socket.socket(fileno=CHANNEL))


def _above(*fds: int) -> list[int]:
    """The same descriptors with numbers that are not those to come."""
    return [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, CHANNEL + 1) for fd in fds]


def live(birth: Birth) -> int:
    """Run a role's body; what it raises is told on the channel and on its output, and its status is 1 or 2."""
    teller = settle(birth)
    teller.tell(STARTING, pid=os.getpid())
    try:
        module, _, name = birth.run.partition(":")
        body: Body = getattr(importlib.import_module(module), name)
        return body(teller, birth.argument) or 0
    except Refused as refused:
        teller.tell(REFUSED, findings=refused.diagnostics)
        return 2
    except Exception as error:  # noqa: BLE001 it is told, to the supervisor in a line and to the user in full
        traceback.print_exc()
        teller.tell(FAILED, f"{type(error).__name__}: {error}")
        return 1


def main(fd: int) -> int:
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, IGNORED)
    end = socket.socket(fileno=fd)
    first, _ = receive(end)
    if first is None:
        return 0
    load(first["path"], first["preload"])
    birth = None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the supervisor is gone, in the middle of a word
        send(end, {"ready": os.getpid()})
        birth = Server(end).serve()
    if birth is None:
        return 0
    end.detach()  # the child closes it by number; its object must not close another one later
    return live(birth)


def leave(status: int) -> None:
    """End a child: run its exit hooks, and let nothing be taken apart, for that would copy all that is shared."""
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    leave(main(int(sys.argv[1])))
