"""The `byteor` command: it translates and shows, and decides nothing."""
