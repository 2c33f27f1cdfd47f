"""The studio as it is seen and as fast as it answers: its screenshots, and its table of latencies.

Rule 1. Both come from a real browser over the interface that was built, so that neither can be of something else.
Rule 2. Figures are of this machine and this moment; they are printed, and stored nowhere.
"""

from __future__ import annotations

import contextlib
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from dev import browser as tools
from dev.steps import ROOT

PICTURES = ROOT / "docs"
EXAMPLE = ROOT / "examples/flights/plan.toml"
FLAT, ROUNDS, WARM = 10_000, 300, 2_000
CHAIN = 'plan = 2\nname = "chain"\ntarget = "{}"\ntypes.tick.px = "f64"\n'
STAGE = '[[stage]]\nname = "s{0}"\ncall = "m:s{0}"\nwrites = []\n'
BEGIN = """async (worker) => {
  const made = new Worker(worker, { type: "module" });
  globalThis.heard = () => new Promise((resolve) => { made.onmessage = ({ data }) => resolve(data); });
  globalThis.asked = made;
  const ready = heard();
  made.postMessage({ runtime: new URL("pyodide/", location).href, wheel: new URL("byteor.whl", location).href });
  return ready;
}"""
ASK = """async ([name, text, rounds]) => {
  const took = [];
  for (let id = 0; id < rounds; id++) {
    const request = JSON.stringify(name === "version" ? {} : { document: text + "#".repeat(id % 7) });
    const began = performance.now();
    const answer = heard();
    asked.postMessage({ id, name, request });
    await answer;
    took.push(performance.now() - began);
  }
  return took;
}"""


@contextlib.contextmanager
def served() -> Iterator[str]:
    """The studio of this checkout; gives its address."""
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT / "runtime/src")])
    command = [sys.executable, "-c", "from byteor.cli import main; main()", "studio", "--port", "0", "--no-browser"]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE, text=True) as server:
        found = re.search(r"http://\S+", server.stdout.readline() if server.stdout else "")
        if found is None:
            tools.fail("the studio is not served: build it with `python -m dev studio`")
        else:
            yield found[0]
        server.terminate()


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """A browser as the tests have it."""
    from tests.web.browser.studio import launched

    with launched() as made:
        yield made


def opened(browser: Any, address: str, text: str, **options: Any) -> Any:
    """A page that has answered a document."""
    from tests.web.browser.studio import Studio

    studio = Studio(browser.new_context(**options).new_page(), address)
    studio.open().load(text)
    return studio.page


# Pictures


def pictures() -> int:
    """Write the screenshots of the documentation: both themes, a broken plan, a narrow page."""
    text = EXAMPLE.read_text()
    broken = text.replace("capacity = 65536", "capacity = 65000").replace('"dep_delay", "arr_delay"]', '"dep_dela"]', 1)
    wide = {"viewport": {"width": 1360, "height": 860}, "device_scale_factor": 1.5}
    with served() as address, chromium() as browser:
        for theme in ("light", "dark"):
            page = opened(browser, address, text, color_scheme=theme, **wide)
            _marked(page, "[[stage]]", 1)
            _taken(page, f"studio-{theme}")
        page = opened(browser, address, broken, color_scheme="light", **wide)
        page.keyboard.press("F8")
        page.locator("#problems .code").first.click()
        page.locator("#toast").evaluate("node => { node.hidden = true; }")
        _taken(page, "studio-broken")
        small = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2}
        page = opened(browser, address, text, color_scheme="dark", **small)
        page.locator("#drawing-title").scroll_into_view_if_needed()
        page.evaluate("scrollTo(0, document.querySelector('.drawing').offsetTop - 60)")
        _taken(page, "studio-narrow")
    return 0


def _marked(page: Any, line: str, which: int) -> None:
    """Put the cursor into a line, so that its part is marked in the drawing."""
    page.locator(".cm-scroller").evaluate("node => { node.scrollTop = 900; }")
    page.locator(".cm-line", has_text=line).nth(which).click()


def _taken(page: Any, name: str) -> None:
    page.wait_for_timeout(300)  # until what fades has faded: nothing is asserted of it
    page.screenshot(path=str(PICTURES / f"{name}.png"))
    print(f"docs/{name}.png")


# Latencies


def chain(stages: int) -> str:
    """A plan of stages in a row: one ring while they fit in one, else a plant."""
    if stages <= 32:
        ring = '[ring]\ntype = "tick"\ncapacity = 1024\n[[ingress]]\nname = "in"\n'
        after = ["after = []\n", *(f'after = ["s{i}"]\n' for i in range(stages - 1))]
        rows = "".join(STAGE.format(i) + line for i, line in enumerate(after))
        return CHAIN.format("single_ring") + ring + rows + '[[egress]]\nname = "out"\n'
    names = ["in", *(f"s{i}" for i in range(stages)), "out"]
    ends = '[[ingress]]\nname = "in"\ntype = "tick"\n[[egress]]\nname = "out"\n'
    links = [f'[[connect]]\nfrom = "{a}"\nto = "{b}"\n' for a, b in pairwise(names)]
    return CHAIN.format("lane_graph") + ends + "".join(STAGE.format(i) for i in range(stages)) + "".join(links)


def latencies() -> int:
    """Measure loading, questions and memory, and print them as a table."""
    with served() as address:
        with chromium() as browser:
            page = browser.new_page()
            print(f"| load, cold | {_load(page, address):,.0f} ms |")
            print(f"| load, warm | {_load(page, address):,.0f} ms |")
        with chromium() as browser:
            _questions(browser, address)
    return 0


def _load(page: Any, address: str) -> float:
    """Milliseconds from asking for the page to the first answers on it."""
    began = time.monotonic()
    page.goto(address)
    page.wait_for_selector("main[aria-busy=false]", timeout=120_000)
    return (time.monotonic() - began) * 1000


def _questions(browser: Any, address: str) -> None:
    page = browser.new_page()
    page.goto(f"{address}icon.svg")
    worker = next(path for path in (tools.SITE / "assets").glob("worker-*.js")).name
    page.evaluate(BEGIN, f"{address}assets/{worker}")
    _row("round trip, nothing asked", page.evaluate(ASK, ["version", "", ROUNDS]))
    for stages in (12, 128):
        text = chain(stages)
        page.evaluate(ASK, ["check", text, 30])
        _row(f"check, {stages} stages", page.evaluate(ASK, ["check", text, ROUNDS]))
    sizes = []
    for calls in (WARM, FLAT):
        page.evaluate(ASK, ["check", chain(12), calls])
        sizes.append(_memory(browser))
    print(f"| memory after {WARM:,} and {WARM + FLAT:,} calls | {sizes[0]:,.1f} and {sizes[1]:,.1f} MB |")


def _row(what: str, took: list[float]) -> None:
    cuts = statistics.quantiles(took, n=100)
    print(f"| {what} | p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms |", flush=True)


def _memory(browser: Any) -> float:
    """The resident size of the process that the page and its worker run in, in MB."""
    session = browser.new_browser_cdp_session()
    found = session.send("SystemInfo.getProcessInfo")["processInfo"]
    sizes = [_resident(process["id"]) for process in found if process["type"] == "renderer"]
    return max(sizes)


def _resident(process: int) -> float:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
