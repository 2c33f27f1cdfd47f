"""Links between machines: the protocol that keeps a lane exact across hosts, and the fabrics that carry it."""
