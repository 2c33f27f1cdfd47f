"""Files, streams and iterables: records in, records out, bad rows judged."""
