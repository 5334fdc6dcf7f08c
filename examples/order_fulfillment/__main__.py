"""`python -m examples.order_fulfillment`, and what Bazel runs."""

import sys

from examples.start import start

if __name__ == "__main__":
    sys.exit(start("order_fulfillment"))
