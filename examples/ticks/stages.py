"""One compiled stage: what a tick is worth."""


def value(tick):
    """Multiply."""
    tick.value = tick.price * tick.size
