"""The bench: our rings beside their peers, in one run on one machine."""
