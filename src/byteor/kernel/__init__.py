"""The hot source: atomics by memory order, waits, the ring and the stages' loops; no policy, no I/O."""
