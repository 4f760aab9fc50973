"""Faults that a test asks for."""

import threading


class Faults:
    """Which requests go wrong, and how. Being down is not here: that closes the listening socket (`Oms.down`)."""

    def __init__(self):
        self._lock = threading.Lock()
        self._statuses = []  # (status, path prefix, how many are left or None)
        self._delay_s = 0.0

    def answer(self, status, times=None, path="/"):
        """Answer requests under `path` with `status` instead of handling them; `times` of them, or all until `clear`."""
        with self._lock:
            self._statuses.append([status, path, times])

    def slow(self, delay_s):
        """Wait that long before each answer."""
        with self._lock:
            self._delay_s = delay_s

    def clear(self):
        with self._lock:
            self._statuses.clear()
            self._delay_s = 0.0

    @property
    def delay_s(self):
        with self._lock:
            return self._delay_s

    def status_for(self, path):
        """The status that this request is to fail with, or None."""
        with self._lock:
            for fault in self._statuses:
                status, prefix, times = fault
                if not path.startswith(prefix) or times == 0:
                    continue
                if times is not None:
                    fault[2] = times - 1
                return status
            return None
