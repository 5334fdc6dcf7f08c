"""Work that is cut into batches."""

from tasker_core.batch_processing.batchable import Batchable

__all__ = ["Batchable"]
