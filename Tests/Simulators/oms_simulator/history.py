"""What happened, as JSON lines: what Tests/Faults/check reads."""

import json
import threading
import time


class History:
    """Appends one line an event, at once. `at_ns` is the monotonic clock, which all processes of a machine share."""

    def __init__(self, path):
        self.path = path
        self._lock = threading.Lock()
        self._file = open(path, "a", encoding="utf-8", buffering=1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def add(self, event, **fields):
        line = json.dumps({"event": event, "at_ns": time.monotonic_ns(), "wall": time.time(), **fields}, ensure_ascii=False)
        with self._lock:
            if not self._file.closed:  # a thread that ends late has nothing to tell any more
                self._file.write(line + "\n")

    def close(self):
        with self._lock:
            self._file.close()


def read(path):
    """The events of a history. A last line that was cut by a kill does not count."""
    events = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n"):
                events.append(json.loads(line))
    return events
