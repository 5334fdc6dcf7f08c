"""The world that an order changes: a file of JSON lines in place of stock, bank, carrier and mail.

A step whose process dies runs again, and may have charged the card just before. So each change has
a key, and what has the key of an earlier change is that change: ask the same of a bank.
"""

import json
import os
from pathlib import Path
from typing import Any

Entry = dict[str, Any]


class Ledger:
    """What one task's steps did; several may write at a time."""

    def __init__(self, path: Path, task: str) -> None:
        self._path = path
        self._task = task

    def begin(self, step: str) -> None:
        """Note that a step runs, as often as it does."""
        self._append({"did": "began", "step": step})

    def once(self, did: str, **details: Any) -> Entry:
        """Change the world, unless an earlier attempt of this task did; answers the change."""
        key = f"{self._task}:{did}"
        for entry in self.entries():
            if entry.get("key") == key:
                return entry
        return self._append({"did": did, **details, "key": key})

    def entries(self) -> list[Entry]:
        """Every line so far."""
        if not self._path.exists():
            return []
        return [json.loads(line) for line in self._path.read_text().splitlines()]

    def _append(self, entry: Entry) -> Entry:
        entry = {**entry, "task": self._task, "process": os.getpid()}
        # One write to a file opened for appending: a line is there whole or not at all.
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
        return entry
