"""What the simulator has seen, kept for tests to look at and to wait for."""

import threading
import time
from collections import deque
from dataclasses import dataclass, field

KEPT = 10_000  # entries; the oldest go first


@dataclass
class Recorded:
    """One HTTP request that the simulator received."""

    verb: str
    path: str
    headers: dict
    body: bytes
    status: int = 0
    at: float = field(default_factory=time.time)
    at_ns: int = field(default_factory=time.monotonic_ns)
    answer_ns: int = 0  # when its answer began

    def as_json(self):
        return {
            "verb": self.verb,
            "path": self.path,
            # A recording may end up in a test's output: no credentials in it.
            "headers": {k: ("…" if k.lower() == "authorization" else v) for k, v in self.headers.items()},
            "bytes": len(self.body),
            "status": self.status,
            "at": self.at,
        }


class Recording:
    """A bounded list that can be waited on."""

    def __init__(self):
        self._entries = deque(maxlen=KEPT)
        self._changed = threading.Condition()

    def add(self, entry):
        with self._changed:
            self._entries.append(entry)
            self._changed.notify_all()

    def all(self):
        with self._changed:
            return list(self._entries)

    def clear(self):
        with self._changed:
            self._entries.clear()

    def wait(self, predicate, timeout_s):
        """The entries, as soon as predicate(entries) holds; TimeoutError after timeout_s."""
        with self._changed:
            if not self._changed.wait_for(lambda: predicate(list(self._entries)), timeout_s):
                raise TimeoutError(f"nothing of the kind within {timeout_s} s among {len(self._entries)} entries")
            return list(self._entries)
