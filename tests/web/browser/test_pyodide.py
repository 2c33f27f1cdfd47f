"""The model plane in Pyodide, under Node: the same answers, and its own tests."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from byteor import web
from byteor.web import archive
from dev import browser as tools
from tests.web import vectors

ROOT = vectors.ROOT
FOLDERS = ("tests/plan", "tests/spec", "tests/views")


def node(*arguments: str) -> subprocess.CompletedProcess[str]:
    script = ROOT / "tests/web/pyodide.mjs"
    return subprocess.run([f"{tools.node()}/node", str(script), *arguments], cwd=ROOT, capture_output=True, text=True)


def asked_of(what: str, asked: list[vectors.Request], folder: Path) -> subprocess.CompletedProcess[str]:
    """What Pyodide says, with the wheel of the files as they are."""
    (folder / "requests.json").write_text(json.dumps(asked))
    (folder / "byteor.whl").write_bytes(archive.wheel())
    return node(what, str(folder / "requests.json"), str(folder / "byteor.whl"))


def test_pyodide_gives_the_same_bytes(tmp_path: Path) -> None:
    asked = vectors.requests()
    done = asked_of("answers", asked, tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    for (name, request), answer in zip(asked, json.loads(done.stdout), strict=True):
        assert answer == web.call(name, request), (name, request[:200])


@pytest.mark.timeout(900)
def test_the_model_plane_s_own_tests_are_green_in_pyodide() -> None:
    done = node("suite", str(tools.PURE), *FOLDERS)
    assert done.returncode == 0, done.stderr[-4000:]
    assert " passed" in done.stderr and " failed" not in done.stderr
    print(done.stderr.strip().splitlines()[-1])


@pytest.mark.timeout(600)
def test_memory_is_flat_over_ten_thousand_questions(tmp_path: Path) -> None:
    text = (ROOT / "examples/ticks/plan.toml").read_text()
    texts = [text, text.replace("1024", "1000"), "nonsense", *(text + "#" * n for n in range(1, 6))]
    asked = [(name, json.dumps({"document": one})) for one in texts for name in ("check", "graph")]
    done = asked_of("memory", asked, tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    memory, blocks = zip(*json.loads(done.stdout), strict=True)
    assert memory[0] == memory[-1]
    assert max(blocks[1:]) - min(blocks[1:]) <= 0.01 * blocks[1], blocks


def test_the_client_loses_no_digit_of_an_integer(tmp_path: Path) -> None:
    text = (
        '{"a": 9223372036854775807, "b": -9007199254740993, "c": 9007199254740991, "d": "1234567890123456", "e": 1.5}'
    )
    code = f"""
import {{ isRefused, parse }} from {json.dumps(str(tools.CLIENT / "index.js"))};
console.log(JSON.stringify([parse({json.dumps(text)}), isRefused({{ status: "refused", findings: [] }})]));
"""
    (tmp_path / "a.mjs").write_text(code)
    done = subprocess.run([f"{tools.node()}/node", str(tmp_path / "a.mjs")], capture_output=True, text=True)
    read = {"a": "9223372036854775807", "b": "-9007199254740993", "c": 2**53 - 1, "d": "1234567890123456", "e": 1.5}
    assert json.loads(done.stdout) == [read, True], done.stderr


def test_the_package_s_declarations_hold_for_its_users(tmp_path: Path) -> None:
    program = """
import { Byteor, isRefused, type Checked, type Finding } from "byteor";

export async function codes(byteor: Byteor, document: string): Promise<string[]> {
  const said = await byteor.ask("check", { document, strict: true });
  const found: Finding[] = said.findings;
  if (isRefused(said)) return [];
  const checked: Checked = said;
  // @ts-expect-error a question takes its own keys alone
  await byteor.ask("hash", { text: document });
  return [checked.form, ...found.map(({ code }) => code)];
}
"""
    package = tmp_path / "node_modules/byteor"
    package.parent.mkdir()
    package.symlink_to(tools.WEB)
    (tmp_path / "program.ts").write_text(program)
    options = ["--noEmit", "--strict", "--module", "esnext", "--moduleResolution", "bundler", "--lib", "es2022,dom"]
    command = [f"{tools.node()}/node", str(tools.WEB / "node_modules/typescript/bin/tsc"), *options, "program.ts"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"})
    assert done.returncode == 0, done.stdout
