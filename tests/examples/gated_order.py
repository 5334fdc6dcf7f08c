"""The order example with a gate in place of its pauses, for test_order_fulfillment.

A step whose work is done writes its name into the pipe whose descriptor is GATE; one that is among
STUCK_STEPS stays there for ever.
"""

import os
import sys
import threading

from examples.order_fulfillment import handlers
from examples.start import start

GATE = int(os.environ["GATE"])
STUCK_STEPS = os.environ["STUCK_STEPS"].split(",")


def gate(step: str, _seconds: float, /) -> None:
    """Tell the test where we are, and be killed here."""
    os.write(GATE, f"{step}\n".encode())
    if step in STUCK_STEPS:
        threading.Event().wait()


assert callable(handlers.pause)
handlers.pause = gate

if __name__ == "__main__":
    sys.exit(start("order_fulfillment"))
