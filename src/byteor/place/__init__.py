"""Which host each role of a plant runs on: a document of its own, and what follows from it."""
