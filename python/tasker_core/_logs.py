"""Log events of the compiled core, in Python's `logging` under `tasker_core`."""

import logging
import os
import threading

from tasker_core._extension import core

_log = logging.getLogger("tasker_core.engine")
_lock = threading.Lock()
_process: int | None = None


def start() -> None:
    """Start the thread that passes events on, once a process."""
    global _process
    with _lock:
        if _process == os.getpid():
            return
        _process = os.getpid()
    threading.Thread(target=_pass_on, name="tasker-logs", daemon=True).start()


def _pass_on() -> None:
    while True:
        for level, target, message, fields in core.next_logs():
            _log.log(level, message, extra={**fields, "rust_target": target})
