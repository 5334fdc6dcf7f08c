"""Ctrl-C while steps run: counted, so that it cuts nothing off half-way."""

import signal
from types import FrameType, TracebackType
from typing import Any


class Interrupts:
    """Counts Ctrl-C (SIGINT) and SIGTERM inside a `with` block instead of raising.

    For the main thread.
    """

    def __init__(self) -> None:
        self.count = 0
        self.exit_code = 0
        """128 and the first signal's number."""
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Interrupts":
        for number in (signal.SIGINT, signal.SIGTERM):
            # Ignored ones stay so: a shell's background jobs are not for Ctrl-C.
            if signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        self.count += 1
        self.exit_code = self.exit_code or 128 + number
