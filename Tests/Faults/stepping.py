"""Lets a process run for moments at a time, so that it can be killed between two of its steps."""

import signal
import time

from waiting import wait_until

SLICE_S = 0.0002


def run_until(process, reached, timeout_s=10):
    """Runs the process in slices until `reached()`, and leaves it stopped. What `reached` gives.

    Each slice is followed by a look, so that the process is at most a slice further than what was seen.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        process.signal(signal.SIGSTOP)
        wait_until(lambda: _is_stopped(process.pid), f"{process.name} to stop", every_s=0)
        found = reached()
        if found:
            return found
        process.signal(signal.SIGCONT)
        end = time.perf_counter() + SLICE_S
        while time.perf_counter() < end:
            pass  # a sleep would be longer than the slice
    raise AssertionError(f"{process.name} has not come so far within {timeout_s} s")


def _is_stopped(pid):
    """Whether all its threads are."""
    with open(f"/proc/{pid}/stat", "rb") as stat:
        return stat.read().rpartition(b") ")[2][:1] in (b"T", b"t")
