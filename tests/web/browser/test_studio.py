"""What a reader of the studio sees, next to what the command line says of the same document."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from byteor import web
from tests.cli.project import byteor
from tests.web.browser.studio import AXE, Studio
from tests.web.vectors import HOSTILE, ROOT

FLIGHTS = (ROOT / "examples/flights/plan.toml").read_text()
TICKS = (ROOT / "examples/ticks/plan.toml").read_text()
DIAMOND = (ROOT / "spec/vectors/diamond.kv").read_text()
BROKEN = TICKS.replace("capacity = 1024", "capacity = 1000").replace('"size"]', '"sise"]')
TABS = ("convert", "describe", "hash", "lower", "diff", "explain")


def said(name: str, text: str, **more: Any) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(web.call(name, json.dumps({"document": text, **more})))
    return data


def line_at(studio: Studio, number: int) -> Any:
    return studio.page.locator(".cm-line").nth(number - 1)


# What is shown


def test_the_first_page_shows_an_example_whole(fresh: Studio) -> None:
    fresh.open()
    expect(fresh.status).to_have_text("No findings")
    expect(fresh.page.locator("#versions")).to_contain_text("byteor 0.1.0 · Pyodide 314.0.7 · Python 3.14")
    expect(fresh.page.locator("[data-answer=convert]")).to_have_text(said("convert", FLIGHTS)["text"])
    paths = fresh.page.locator("#graph g[tabindex]").evaluate_all("nodes => nodes.map((n) => n.dataset.path)")
    assert paths == [path for path in said("graph", FLIGHTS)["lines"] if not path.endswith("depends_on")]


def test_findings_stand_under_their_lines_with_help_and_explain(studio: Studio) -> None:
    studio.load(BROKEN)
    found = said("check", BROKEN)["findings"]
    assert [finding["code"] for finding in found] == ["S020", "S044"]
    expect(studio.status).to_have_text("2 errors")
    for finding in found:
        expect(line_at(studio, finding["line"]).locator(".cm-lintRange-error")).to_be_visible()
    rows = studio.page.locator("#problems li")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text(found[0]["message"].replace("`", ""))
    expect(rows.first).to_contain_text(found[0]["help"])
    line_at(studio, found[0]["line"]).locator(".cm-lintRange-error").hover()
    expect(studio.page.locator(".cm-tooltip-lint")).to_contain_text("use 1024 (or 512)")
    studio.page.locator(".cm-tooltip-lint .cm-diagnosticAction").click()
    expect(studio.page.locator("#panel-explain")).to_contain_text("capacity is not a power of two")
    rows.nth(1).get_by_role("button", name="S044").click()
    expect(studio.page.locator("#panel-explain h3")).to_contain_text("S044")


def test_every_example_has_the_command_line_s_answers(studio: Studio, tmp_path: Path) -> None:
    opener = studio.page.locator("#examples-button")
    names = studio.page.locator("#examples button").all_text_contents()
    assert {"flights", "ticks", "chain", "diamond", "plant"} <= set(names)
    for at in range(len(names)):
        opener.click()
        studio.page.locator("#examples button").nth(at).click()
        studio.settled()
        with studio.page.expect_download() as got:
            studio.page.locator("#export-button").click()
            studio.page.get_by_role("button", name="The document").click()
        text = Path(got.value.path()).read_text()
        place = tmp_path / "document"
        place.write_text(text)
        studio.page.locator("#tab-convert").click()
        expect(studio.page.locator("[data-answer=convert]")).to_have_text(byteor("convert", str(place)).stdout)
        studio.page.locator("#tab-hash").click()
        expect(studio.page.locator("[data-answer=hash]")).to_have_text(byteor("hash", str(place)).stdout.strip())
        studio.page.locator("#tab-describe").click()
        expect(studio.page.locator("[data-answer=describe]")).to_have_text(byteor("describe", str(place)).stdout)


def test_the_drawing_is_the_command_line_s(studio: Studio, tmp_path: Path) -> None:
    studio.load(DIAMOND, "spec.kv")
    with studio.page.expect_download() as got:
        studio.page.locator("#export-button").click()
        studio.page.get_by_role("button", name="Graph, SVG").click()
    place = tmp_path / "spec.kv"
    place.write_text(DIAMOND)
    drawn = byteor("graph", "--format", "svg", str(place)).stdout
    assert Path(got.value.path()).read_text() == drawn
    texts = studio.page.locator("#graph svg text").all_text_contents()
    assert texts and all(text in drawn for text in texts)


def test_a_broken_plan_is_drawn_as_it_is_written(studio: Studio) -> None:
    studio.load(BROKEN)
    expect(studio.page.locator("#drawn")).to_have_text("the plan as written")
    expect(studio.page.locator('#graph [data-path="stage.0"]')).to_be_visible()
    studio.load("nonsense")
    expect(studio.page.locator("#drawn")).to_have_text("as it was before the errors")


def test_nodes_lead_to_lines_and_lines_to_nodes(studio: Studio) -> None:
    studio.load(TICKS)
    studio.page.locator('#graph [data-path="single_ring.stages.0"]').click()
    expect(line_at(studio, TICKS.splitlines().index("[[stage]]") + 1)).to_have_class(re.compile("cm-activeLine"))
    expect(studio.page.locator("#graph .here")).to_have_attribute("data-path", "single_ring.stages.0")
    line_at(studio, len(TICKS.splitlines())).click()
    expect(studio.page.locator("#graph .here")).to_have_attribute("data-path", "single_ring.egress")
    studio.page.locator('#graph [data-path="single_ring.ingress"]').focus()
    studio.page.keyboard.press("Enter")
    expect(line_at(studio, TICKS.splitlines().index("[[ingress]]") + 1)).to_have_class(re.compile("cm-activeLine"))


def test_lowering_and_differences_are_told(studio: Studio) -> None:
    studio.load(TICKS)
    studio.page.locator("#tab-lower").click()
    notes = said("lower", TICKS, explain=True)["notes"]
    expect(studio.page.locator("#panel-lower dd")).to_have_text([note["message"] for note in notes])
    studio.page.locator("#tab-diff").click()
    studio.page.get_by_role("button", name="Keep what stands now").click()
    expect(studio.page.locator("[data-answer=diff]")).to_have_text("Equal: both have the same spec.")
    studio.load(TICKS.replace("1024", "4096"))
    row = studio.page.locator("[data-answer=diff] li")
    expect(row).to_have_count(1)
    expect(row.locator("del")).to_have_text("1024")
    expect(row.locator("ins")).to_have_text("4096")


def test_keys_are_proposed_from_the_schema(studio: Studio) -> None:
    studio.load(TICKS + "\n")
    studio.page.locator(".cm-content").focus()
    studio.page.keyboard.press("Control+End")
    studio.page.keyboard.type("em")
    expect(studio.page.locator(".cm-tooltip-autocomplete")).to_contain_text("emit")


# What goes in and out


def test_a_link_carries_the_document(studio: Studio, browser: Any) -> None:
    studio.load(BROKEN)
    studio.page.locator("#share").click()
    expect(studio.page.locator("#toast")).to_contain_text("link")
    link = studio.page.url
    assert "#d=" in link and len(link) < 1500
    context = browser.new_context()
    other = Studio(context.new_page(), studio.address)
    other.open(link.removeprefix(studio.address))
    expect(other.status).to_have_text("2 errors")
    with other.page.expect_download() as got:
        other.page.locator("#export-button").click()
        other.page.get_by_role("button", name="The document").click()
    assert Path(got.value.path()).read_text() == BROKEN
    other.held()
    context.close()


@pytest.mark.parametrize("fragment", ["#d=%%%", "#d=AAAA", "#d=" + "A" * 1000, "#other"])
def test_a_broken_link_is_said(fresh: Studio, fragment: str) -> None:
    fresh.open(fragment)
    if fragment.startswith("#d="):
        expect(fresh.page.locator("#toast")).to_contain_text("no document that can be read")
    expect(fresh.status).to_have_text("No findings")


def test_files_go_out_as_they_came_in(studio: Studio) -> None:
    for text, name in (
        (DIAMOND, "spec.kv"),
        (TICKS, "plan.toml"),
        (said("convert", TICKS, to="json")["text"], "document.json"),
    ):
        studio.load(text, name)
        expect(studio.status).to_have_text("No findings")
        with studio.page.expect_download() as got:
            studio.page.locator("#export-button").click()
            studio.page.get_by_role("button", name="The document").click()
        assert (got.value.suggested_filename, Path(got.value.path()).read_text()) == (name, text)


@pytest.mark.parametrize(("entry", "to"), [("Spec, kv", "kv"), ("Spec, JSON", "json")])
def test_a_spec_goes_out_as_the_command_line_writes_it(studio: Studio, entry: str, to: str) -> None:
    studio.load(TICKS)
    with studio.page.expect_download() as got:
        studio.page.locator("#export-button").click()
        studio.page.get_by_role("button", name=entry).click()
    assert Path(got.value.path()).read_text() == said("convert", TICKS, to=to)["text"]


def test_what_was_written_is_kept_and_can_be_reset(fresh: Studio) -> None:
    fresh.open().load(BROKEN)
    fresh.page.locator("#tab-hash").click()
    fresh.page.reload()
    fresh.settled()
    expect(fresh.status).to_have_text("2 errors")
    expect(fresh.page.locator("#tab-hash")).to_have_attribute("aria-selected", "true")
    fresh.page.locator("#reset").click()
    fresh.page.get_by_role("button", name="Keep them").click()
    expect(fresh.status).to_have_text("2 errors")
    fresh.page.locator("#reset").click()
    fresh.page.locator("dialog").get_by_role("button", name="Reset").click()
    expect(fresh.status).to_have_text("No findings")
    fresh.page.reload()
    fresh.settled()
    expect(fresh.page.locator(".cm-line").first).to_have_text(FLIGHTS.splitlines()[0])


# What must not happen


def test_names_that_are_markup_stay_names(studio: Studio) -> None:
    evil = '<img src=x onerror=\\"document.title=1\\"><script>document.title=1</script>'
    text = TICKS.replace('name = "in"', f'name = "{evil}"').replace('name = "value"', f'name = "{evil}"')
    studio.load(text)
    title = studio.page.title()
    for tab in TABS:
        studio.page.locator(f"#tab-{tab}").click()
        studio.settled()
    expect(studio.page.locator("#graph svg")).to_be_visible()
    assert studio.page.locator("main img, main script, #graph a, #graph [onerror]").count() == 0
    assert studio.page.title() == title == "byteor studio"


LARGE = {"three megabytes": "x = 1 # and so on\n" * 180_000, "ten megabytes": "x = 1 # and so on\n" * 600_000}


@pytest.mark.parametrize("name", [*(name for name in HOSTILE if name.split()[-1] != "surrogate"), *LARGE])
def test_hostile_documents_are_answered(studio: Studio, name: str) -> None:
    text = {**HOSTILE, **LARGE}[name]
    studio.load(text)
    if name == "ten megabytes":
        expect(studio.page.locator("#toast")).to_contain_text("too large for a page")
    else:
        wanted = said("check", text)["findings"][0]["code"]
        expect(studio.page.locator("#problems li").first).to_have_attribute("data-code", wanted)
    studio.load(TICKS)
    expect(studio.status).to_have_text("No findings")


def test_a_lone_surrogate_is_answered(studio: Studio) -> None:
    studio.load("plan = 2\n")
    studio.page.locator(".cm-content").focus()
    studio.page.evaluate("document.execCommand('insertText', false, 'name = \"\\ud800\"\\n')")
    studio.settled()
    expect(studio.page.locator("#problems li").first).to_have_attribute("data-code", "P003")


def test_a_killed_worker_is_replaced(fresh: Studio) -> None:
    fresh.open().load(TICKS)
    fresh.page.workers[0].evaluate("self.close()")
    fresh.page.set_input_files("#file", {"name": "a.toml", "mimeType": "text/plain", "buffer": BROKEN.encode()})
    expect(fresh.status).to_contain_text("starting another one", timeout=60_000)
    expect(fresh.status).to_have_text("2 errors", timeout=60_000)


# Who can use it


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(browser: Any, address: str, theme: str) -> None:
    context = browser.new_context(viewport={"width": 1360, "height": 860}, color_scheme=theme)
    studio = Studio(context.new_page(), address)
    studio.open()
    judged(studio)
    studio.load(BROKEN)
    judged(studio)
    studio.load(TICKS)
    for tab in TABS:
        studio.page.locator(f"#tab-{tab}").click()
        studio.settled()
        judged(studio)
    studio.page.locator("#examples-button").click()
    judged(studio)
    studio.page.keyboard.press("Escape")
    studio.page.locator("#reset").click()
    judged(studio)
    studio.held()
    context.close()


def judged(studio: Studio) -> None:
    studio.page.evaluate(AXE.read_text())
    found = studio.page.evaluate("axe.run().then((r) => r.violations.map((v) => [v.id, v.nodes.map((n) => n.html)]))")
    assert not found, json.dumps(found, indent=1)


def test_the_theme_is_remembered(fresh: Studio) -> None:
    fresh.open()
    root = fresh.page.locator("html")
    expect(root).to_have_attribute("data-theme", "light")
    fresh.page.locator("#theme").click()
    expect(root).to_have_attribute("data-theme", "dark")
    fresh.page.reload()
    expect(root).to_have_attribute("data-theme", "dark")
    expect(fresh.page.locator("#theme")).to_have_attribute("aria-pressed", "true")


def test_a_narrow_page_does_not_scroll_sideways(browser: Any, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    studio = Studio(context.new_page(), address)
    studio.open()
    long = TICKS.replace('name = "value"', f'name = "{"a_long_name" * 5}"')
    plant = (ROOT / "spec/vectors/plant.kv").read_text()
    for text in (FLIGHTS, BROKEN, long, plant):
        studio.load(text)
        for tab in TABS:
            studio.page.locator(f"#tab-{tab}").click()
            studio.settled()
            assert studio.page.evaluate("document.documentElement.scrollWidth") <= 390, tab
    studio.load(FLIGHTS)
    boxes = [
        studio.page.locator(f'#graph [data-path="single_ring.{part}"]').bounding_box() for part in ("ingress", "egress")
    ]
    assert boxes[0]["y"] + boxes[0]["height"] < boxes[1]["y"], "it flows down"
    studio.held()
    context.close()


def test_the_keyboard_suffices(studio: Studio) -> None:
    studio.load(BROKEN)
    keyboard = studio.page.keyboard
    studio.page.locator(".cm-content").focus()
    keyboard.press("Control+Home")
    keyboard.press("F8")
    expect(line_at(studio, 12)).to_have_class(re.compile("cm-activeLine"))
    keyboard.press("F8")
    expect(line_at(studio, 20)).to_have_class(re.compile("cm-activeLine"))
    keyboard.press("Shift+F8")
    expect(line_at(studio, 12)).to_have_class(re.compile("cm-activeLine"))
    keyboard.press("Escape")
    keyboard.press("Tab")
    assert studio.page.evaluate("document.activeElement.id") != "editor"
    studio.page.locator("#tab-convert").click()
    for key, tab in (
        ("ArrowRight", "describe"),
        ("ArrowLeft", "convert"),
        ("ArrowLeft", "explain"),
        ("Home", "convert"),
        ("End", "explain"),
    ):
        keyboard.press(key)
        expect(studio.page.locator(f"#tab-{tab}")).to_be_focused()
        expect(studio.page.locator(f"#panel-{tab}")).to_be_visible()
    studio.page.locator("#examples-button").focus()
    keyboard.press("Enter")
    expect(studio.page.locator("#examples button").first).to_be_focused()
    keyboard.press("ArrowDown")
    expect(studio.page.locator("#examples button").nth(1)).to_be_focused()
    keyboard.press("Escape")
    expect(studio.page.locator("#examples-button")).to_be_focused()
