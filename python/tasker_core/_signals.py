"""Waits that Python's main thread can be called out of by a signal."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_pipe: tuple[int, int, int] | None = None


@contextmanager
def signal_descriptor() -> Iterator[int | None]:
    """A descriptor that becomes readable when a signal arrives; None on other threads, which Python
    does not call out of waits.

    Whoever listened before (an event loop) hears of the signals too.
    """
    if threading.current_thread() is not threading.main_thread():
        yield None
        return
    reader, writer = _own_pipe()
    try:
        before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    except ValueError:
        # The main thread of a sub-interpreter: signals go elsewhere.
        yield None
        return
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(before)
        heard = b""
        with suppress(BlockingIOError):
            heard = os.read(reader, 4096)
        if heard and before != -1:
            with suppress(OSError):
                os.write(before, heard)


def _own_pipe() -> tuple[int, int]:
    global _pipe
    if _pipe is None or _pipe[0] != os.getpid():
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        _pipe = (os.getpid(), reader, writer)
    return _pipe[1], _pipe[2]
