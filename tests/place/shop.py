"""The stages of the small plant that the tests of hosts run."""

import os
import time

import numpy as np


def tax(order):  # type: ignore[no-untyped-def]
    order.total = order.price + order.price // 5


def dear(order):  # type: ignore[no-untyped-def]
    return order.total > 100


def rows():  # type: ignore[no-untyped-def]
    """Some orders, and then nothing until somebody says that this was all."""
    kind = np.dtype([("id", "i8"), ("price", "i8"), ("total", "i8")])
    made = np.zeros(1000, kind)
    made["id"], made["price"] = np.arange(1000), np.arange(1000)
    yield made
    while not os.path.exists(os.environ["BYTEOR_TEST_OVER"]):
        time.sleep(0.01)
