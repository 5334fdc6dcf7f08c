"""`python -m tasker_core` is the command `tasker`."""

import sys

from tasker_core.cli import main

if __name__ == "__main__":
    sys.exit(main())
