"""Waiting on conditions, never for a time."""

import time


def wait_until(condition, what, timeout_s=30, every_s=0.02):
    """What `condition` gives as soon as that is true; after timeout_s an AssertionError that says what was waited for."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() >= deadline:
            raise AssertionError(f"waited {timeout_s} s for {what}")
        time.sleep(every_s)
