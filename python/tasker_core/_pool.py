"""The threads that run handlers. They start as they are needed: one more than work at a time, so
that one is there when others hang.
"""

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tasker_core._tasker_core import Parker
from tasker_core.exceptions import EngineStoppedError

if TYPE_CHECKING:
    from tasker_core._tasker_core import Attempt, Core

_log = logging.getLogger("tasker_core.engine")


class HandlerPool:
    """Handler threads, each with one step at a time."""

    def __init__(self, core: "Core", carry_out: "Callable[[Attempt], Any]") -> None:
        self._core = core
        self._carry_out = carry_out
        self._lock = threading.Lock()
        self._threads = 0

    def grow(self) -> None:
        """Start a thread if one more would be of use."""
        if not self._core.wants_thread(self._threads):
            return
        with self._lock:
            if not self._core.wants_thread(self._threads):
                return
            self._threads += 1
            number = self._threads
        threading.Thread(target=self._serve, name=f"tasker-handler-{number}", daemon=True).start()

    def _serve(self) -> None:
        core = self._core
        try:
            parker = Parker()
            attempt = core.take(parker)
            while attempt is not None:
                self.grow()
                self._carry_out(attempt)
                attempt = core.report_and_take(attempt, parker)
        except EngineStoppedError:
            pass
        except Exception:
            _log.exception("a handler thread ended: the engine takes no more work")
        finally:
            with self._lock:
                self._threads -= 1
