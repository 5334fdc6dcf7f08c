"""The difference of two templates, for people."""

import difflib
import json


def difference(stored: str, given: str) -> str:
    """The lines in which two JSON documents differ, the stored one first; empty if they are the
    same.
    """

    def lines(document: str) -> list[str]:
        try:
            return json.dumps(json.loads(document), indent=2, sort_keys=True).splitlines()
        except ValueError:
            return document.splitlines()

    found = difflib.unified_diff(lines(stored), lines(given), "stored", "given", lineterm="", n=3)
    return "\n".join(found)
