"""One event loop for the engine's life, on its own thread, for handlers that are coroutines."""

import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

    from tasker_core._tasker_core import Attempt, Core

_log = logging.getLogger("tasker_core.engine")

_GOODBYE_SECONDS = 1.0


class EventLoopThread:
    """Starts with the first coroutine."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._serves = False

    def serve(self, core: "Core", carry_out: "Callable[[Attempt], Awaitable[None]]") -> None:
        """Carry out the attempts that the core has for the loop, from now on."""
        with self._lock:
            if self._serves:
                return
            self._serves = True
        loop = self._running_loop()
        server = _Server(core, carry_out, loop)
        loop.call_soon_threadsafe(loop.add_reader, core.loop_descriptor(), server.collect)

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on the loop and wait for what it answers."""
        import asyncio

        async def wrapped() -> Any:
            return await coroutine

        return asyncio.run_coroutine_threadsafe(wrapped(), self._running_loop()).result()

    def _running_loop(self) -> "asyncio.AbstractEventLoop":
        import asyncio

        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=_run, args=(self._loop,), name="tasker-loop", daemon=True
                )
                self._thread.start()
            return self._loop

    def stop(self) -> None:
        """End the loop. Handlers that still run on it are dropped."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        loop.call_soon_threadsafe(loop.stop)
        if thread is not threading.current_thread():
            # A handler that blocks the loop was not waited for by the engine, and is not here.
            thread.join(_GOODBYE_SECONDS)


class _Server:
    """On the loop's thread: each attempt is a task of the loop."""

    def __init__(
        self,
        core: "Core",
        carry_out: "Callable[[Attempt], Awaitable[None]]",
        loop: "asyncio.AbstractEventLoop",
    ) -> None:
        self._core = core
        self._carry_out = carry_out
        self._loop = loop
        self._running: dict[int, asyncio.Task[None]] = {}

    def collect(self) -> None:
        """Begin what has come, and cancel what is not wanted any more."""
        attempts, revoked = self._core.collect()
        for attempt in attempts:
            self._running[attempt.serial] = self._loop.create_task(self._serve(attempt))
        for serial in revoked:
            task = self._running.get(serial)
            if task is not None:
                task.cancel()

    async def _serve(self, attempt: "Attempt") -> None:
        try:
            await self._carry_out(attempt)
            self._core.report_from_loop(attempt)
        except Exception:
            _log.exception("an attempt could not be reported: the engine takes no more work")
        finally:
            del self._running[attempt.serial]


def _run(loop: "asyncio.AbstractEventLoop") -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()
