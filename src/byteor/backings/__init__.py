"""Where a ring's memory comes from."""
