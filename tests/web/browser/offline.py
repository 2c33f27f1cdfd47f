"""Opens an installed studio where there is no network but this machine's own: `offline.py BYTEOR`.

Rule 1. Where the system lets us, this runs in a network of its own, which has nothing but a loopback; else the
    browser is told that no other host exists.
"""

from __future__ import annotations

import fcntl
import re
import socket
import struct
import subprocess
import sys

from playwright.sync_api import expect

from tests.web.browser.studio import Studio, launched

SIOCSIFFLAGS, UP = 0x8914, 1


def alone() -> bool:
    """Whether this network has a loopback and nothing else; the loopback is brought up."""
    if {name for _, name in socket.if_nameindex()} != {"lo"}:
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_:
        fcntl.ioctl(any_, SIOCSIFFLAGS, struct.pack("16sh", b"lo", UP))
    return True


def main(byteor: str) -> None:
    off = alone()
    rules = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    command = [byteor, "studio", "--port", "0", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as served:
        found = re.search(r"http://\S+", served.stdout.readline() if served.stdout else "")
        assert found
        with launched(rules) as browser:
            studio = Studio(browser.new_page(), found[0]).open()
            expect(studio.status).to_have_text("No findings")
            studio.held()
        served.terminate()
    print(f"No findings; network {'off' if off else 'refused'}")


main(sys.argv[1])
