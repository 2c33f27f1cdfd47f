"""Mutants that change nothing a user could see, each with its argument.

Rule 1. An argument says why no schedule can tell the difference, not that none was found.
"""

ARGUMENTS: dict[str, str] = {}
