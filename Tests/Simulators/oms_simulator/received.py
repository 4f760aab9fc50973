"""The messages that came to the OMS, each once, in the order in which they came first."""

import threading

KEPT = 200_000  # messages; whatever comes later is not kept, and `add` says so


class Received:
    """Repetitions of a delivery are counted, not kept: an OMS tells them by their id."""

    def __init__(self):
        self._changed = threading.Condition()
        self._by_id = {}  # delivery id → how often it came
        self._messages = []

    def add(self, path, request):
        """`request`: the JSON-RPC request as it came."""
        with self._changed:
            key = str(request.get("id"))
            self._by_id[key] = self._by_id.get(key, 0) + 1
            if self._by_id[key] == 1:
                if len(self._messages) >= KEPT:
                    raise RuntimeError(f"the simulator keeps {KEPT} messages and has them")
                self._messages.append({"id": request.get("id"), "path": path, "method": request["method"],
                                       "params": request.get("params") or {}})
            self._changed.notify_all()

    def all(self, method=None, where=None):
        """The messages of that method whose params make `where` true."""
        with self._changed:
            return [message for message in self._messages if _fits(message, method, where)]

    def times(self, delivery_id):
        """How often that delivery came."""
        with self._changed:
            return self._by_id.get(str(delivery_id), 0)

    def wait(self, method, where=None, count=1, timeout_s=30):
        """The messages, as soon as there are so many of them; TimeoutError after timeout_s."""
        with self._changed:
            def enough():
                return len(found()) >= count

            def found():
                return [message for message in self._messages if _fits(message, method, where)]

            if not self._changed.wait_for(enough, timeout_s):
                raise TimeoutError(f"{len(found())} of {count} messages {method} came within {timeout_s} s")
            return found()


def _fits(message, method, where):
    return method in (None, message["method"]) and (where is None or where(message["params"]))
