"""Plans: what an author writes, its two document forms, and its rules."""
