"""Where the planes meet: a valid spec becomes running threads, and a report."""
