"""`python -m examples.order_fulfillment`, and what Bazel runs."""

from examples.start import start

if __name__ == "__main__":
    start("order_fulfillment")
