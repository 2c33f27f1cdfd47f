"""The pages of the codes: what `byteor explain` prints, and the page that holds them all.

Rule 1. What is printed is the table of rules: a layer's codes are there once its module is imported, and
    `byteor.lower` brings those of the whole model plane.
"""

from __future__ import annotations

from difflib import get_close_matches

from byteor.diag import LAYERS, RULES, Rule

HEADINGS = ("What", "Why", "Example", "Instead")


def explain(code: str) -> str | None:
    """The page of a code or of a rule's name; None when there is none."""
    wanted = code.strip()
    for rule in RULES.values():
        if wanted.upper() == rule.code or wanted.lower() == rule.name:
            return _page(rule)
    return None


def near_codes(code: str) -> tuple[str, ...]:
    """The codes and names that come nearest to an unknown one."""
    known = {rule.name: rule for rule in RULES.values()}
    names = get_close_matches(code.strip().lower()[:60], sorted(known), 3, 0.4)
    codes = get_close_matches(code.strip().upper()[:60], sorted(RULES), 3, 0.6)
    return tuple(f"{rule.code} {rule.name}" for rule in [*(RULES[c] for c in codes), *(known[n] for n in names)])


def _page(rule: Rule) -> str:
    return f"{rule.severity}[{rule.code}] {rule.name} ({LAYERS[rule.code[0]]})\n\n{rule.doc}\n"


def diagnostics_page() -> str:
    """All codes as one page of Markdown."""
    out = ["# Diagnostics", "", "Written from the tables of rules; `byteor explain CODE` prints the same text.", ""]
    for letter, layer in LAYERS.items():
        codes = sorted(code for code in RULES if code[0] == letter)
        if codes:
            out += [f"## {letter}: {layer}", ""]
        for code in codes:
            out += _section(RULES[code])
    return "\n".join(out)


def _section(rule: Rule) -> list[str]:
    severity = "" if rule.severity == "error" else f" ({rule.severity})"
    lines = [line.strip() for line in rule.doc.splitlines() if line.strip()]
    return [f"### {rule.code} {rule.name}{severity}", "", *[_item(line) for line in lines], ""]


def _item(line: str) -> str:
    head, colon, rest = line.partition(":")
    return f"- **{head}**:{rest}" if colon and head in HEADINGS else f"  {line}"
