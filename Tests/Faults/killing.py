"""kill -9 of any process at any time, and its start at once."""

import socket
import threading
import time

from lab import check_running
from waiting import wait_until

PROGRESS_TIMEOUT_S = 60


class Killer:
    """Kills as the seed says: which process, and when.

    Most kills wait until everything serves and some messages have had their effect, so that they hit a stack at work; the
    others come at once, so that they hit processes that start, and several of them.
    """

    AT_ONCE = 0.3  # of the kills
    MOST_MESSAGES = 60  # that have to get through before a kill
    MOST_DELAY_S = 0.03

    def __init__(self, lab, names, *progress):
        """`progress`: functions, each a number that grows with the messages that get through."""
        self._lab, self._names, self._progress = lab, names, progress
        self._never = threading.Event()

    def run(self, kills):
        began = time.monotonic()
        for number in range(1, kills + 1):
            choice = self._lab.random
            name = choice.choice(self._names)
            if choice.random() >= self.AT_ONCE:
                self._wait_for_work(choice.randint(1, self.MOST_MESSAGES), f"kill {number}, of {name}")
            self._never.wait(choice.uniform(0, self.MOST_DELAY_S))
            self._lab.restart(name)
            if number % 50 == 0:
                got_through = " and ".join(str(count()) for count in self._progress)
                print(f"{number} kills in {time.monotonic() - began:.0f} s, {got_through} messages", flush=True)

    def _wait_for_work(self, messages, what):
        processes = list(self._lab.stack.processes.values())
        for process in processes:
            wait_until(lambda: is_serving(process), f"{process.name} to serve before {what}", PROGRESS_TIMEOUT_S, every_s=0.005)
        progress = self._lab.random.choice(self._progress)
        goal = progress() + messages

        def is_through():
            for process in processes:
                check_running(process)
            return progress() >= goal

        wait_until(is_through, f"messages to get through before {what}", PROGRESS_TIMEOUT_S, every_s=0.005)


def is_serving(process):
    """Whether it takes connections. Its own probe would cost a process each time."""
    check_running(process)
    path = process.environment["LISTEN"].removeprefix("unix:")
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0
