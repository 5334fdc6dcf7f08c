"""`python -m examples.sales_report`, and what Bazel runs."""

from examples.start import start

if __name__ == "__main__":
    start("sales_report")
