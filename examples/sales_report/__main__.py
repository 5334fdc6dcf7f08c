"""`python -m examples.sales_report`, and what Bazel runs."""

import sys

from examples.start import start

if __name__ == "__main__":
    sys.exit(start("sales_report"))
