"""Specs: the stable contract, with its rules, its text forms and its description."""
