"""What handlers of batches share."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tasker_core.types.step_result import StepHandlerResult


class Batchable:
    """A mixin for handlers that work through many items.

    >>> from tasker_core import Batchable, StepHandler
    >>> class Import(StepHandler, Batchable):
    ...     def call(self, context):
    ...         done = context.checkpoint_items_processed
    ...         if done < 300:
    ...             return self.checkpoint_yield(cursor=done + 100, items_processed=done + 100)
    ...         return self.success({"imported": done})
    """

    def checkpoint_yield(
        self,
        cursor: Any,
        items_processed: int,
        accumulated_results: dict[str, Any] | None = None,
    ) -> "StepHandlerResult":
        """Answer this to store how far the step is: the handler is called again at once, in the
        same attempt, with the checkpoint in its context. So is every later attempt.

        Args:
            cursor: Where to go on; any JSON value.
            items_processed: How many items are done, in all.
            accumulated_results: What the rest of the work needs of them; with the cursor, 1 MiB of
                JSON at most.
        """
        from tasker_core.types.step_result import StepHandlerResult

        checkpoint = {
            "cursor": cursor,
            "items_processed": items_processed,
            "accumulated_results": accumulated_results,
        }
        return StepHandlerResult.success(checkpoint, {"checkpoint_yield": True})
