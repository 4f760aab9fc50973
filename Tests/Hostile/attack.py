"""A server under attack: a real process, and a neighbour that must not notice."""

import contextlib
import os
import statistics
import subprocess
import sys
import threading
import time
import unittest
from dataclasses import dataclass

from outcome import shown
from peer import Peer
from stack import BIN

BASELINE_CALLS = 200
MIB = 1 << 20


def memory_kib(pid, name="VmRSS"):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name + ":"))


def forget_peak(pid):
    """VmHWM begins anew at what is resident now (proc_pid_clear_refs(5))."""
    with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


class Echo:
    """The benchmark's server, on TCP: who comes by a Unix socket is trusted with more."""

    def __init__(self):
        self._process = subprocess.Popen(
            [os.path.join(BIN, "benchmark-echo"), "serve", "127.0.0.1:0"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        said = self._process.stdout.readline()
        if not said.startswith("listening"):
            self.stop()
            raise AssertionError(f"benchmark-echo does not serve, but says: {said}")
        self.target = said.split()[-1]

    @property
    def pid(self):
        return self._process.pid

    @property
    def running(self):
        return self._process.poll() is None

    def descriptors(self):
        """How many it has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def stop(self):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


class Neighbour:
    """The well-behaved client and its times."""

    def __init__(self, target):
        self.calls = []  # (began, took), monotonic ns
        self.failure = None
        self._changed = threading.Condition()
        program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "neighbour.py")
        self._process = subprocess.Popen(
            [sys.executable, program, target], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self._process.stdout:
            with self._changed:
                if line[0].isdigit():
                    self.calls.append(tuple(map(int, line.split())))
                else:
                    self.failure = line.strip()
                self._changed.notify_all()
        with self._changed:
            self.failure = self.failure or "the neighbour has ended"
            self._changed.notify_all()

    def wait(self, condition, timeout_s=60):
        with self._changed:
            if not self._changed.wait_for(lambda: self.failure or condition(self.calls), timeout_s):
                raise AssertionError(f"the neighbour has done too little in {timeout_s} s")
        if self.failure:
            raise AssertionError(f"the neighbour: {self.failure}")

    def wait_for_a_call_after(self, moment):
        self.wait(lambda calls: calls and calls[-1][0] > moment)

    def wait_for_more(self, count):
        goal = len(self.calls) + count
        self.wait(lambda calls: len(calls) >= goal)

    def stop(self):
        self._process.stdin.close()
        self._thread.join(60)
        self._process.wait(60)
        self._process.stdout.close()


@dataclass(frozen=True)
class Case:
    """What is sent once preface and SETTINGS are, and what may come of it.

    `sends`: bytes, or a function of the peer, which sends them. `stream`: the one that the outcome is about.
    """

    name: str
    section: str
    sends: object
    allowed: frozenset
    stream: int = 1
    settings: tuple = ()
    growth_mib: float = 8


def many(raw, count, first=b"", last=b""):
    """Sends `raw` so many times, in between; for what is too large to be kept in a table."""

    def send(peer):
        peer.send(first + raw * count + last)

    return send


class HostileTest(unittest.TestCase):
    """One server and one neighbour a class."""

    GROWTH_MIB = 8  # beyond what it had, while an attack goes on

    @classmethod
    def setUpClass(cls):
        cls.server = Echo()
        cls.addClassCleanup(cls.server.stop)
        cls.target = cls.server.target
        cls.neighbour = Neighbour(cls.target)
        cls.addClassCleanup(cls.neighbour.stop)
        cls.neighbour.wait(lambda calls: len(calls) >= BASELINE_CALLS)
        cls._quiet_until = time.monotonic_ns()
        cls._attacks = []  # (began, ended)

    @classmethod
    def tearDownClass(cls):
        """Reports; how fast this machine is says nothing of right and wrong."""
        before = [took for began, took in cls.neighbour.calls if began < cls._quiet_until]
        during = [took for began, took in cls.neighbour.calls
                  if any(start <= began + took and began <= end for start, end in cls._attacks)]
        if before and during:
            quiet, loud = statistics.median(before), statistics.median(during)
            print(f"        neighbour: median {quiet / 1e3:.0f} µs before, {loud / 1e3:.0f} µs in attacks "
                  f"(ratio {loud / quiet:.1f}), slowest {max(during) / 1e6:.1f} ms, {len(during)} calls", flush=True)

    @contextlib.contextmanager
    def attack(self, growth_mib=None):
        """Memory stays within its bound, and the neighbour is served."""
        bound = self.GROWTH_MIB if growth_mib is None else growth_mib
        before, began = memory_kib(self.server.pid), time.monotonic_ns()
        forget_peak(self.server.pid)
        yield
        self.assertTrue(self.server.running, "the server has ended")
        # One that began during the attack, and one that had to wait for what it left behind.
        self.neighbour.wait_for_a_call_after(began)
        self._attacks.append((began, time.monotonic_ns()))
        growth = (memory_kib(self.server.pid, "VmHWM") - before) / 1024
        self.assertLessEqual(growth, bound, f"MiB more than the {before / 1024:.1f} before")

    def check(self, cases):
        """Every case of a table."""
        for case in cases:
            with self.subTest(case.name, section=case.section), self.attack(case.growth_mib):
                with Peer(self.target, case.settings) as peer:
                    if callable(case.sends):
                        case.sends(peer)
                    else:
                        peer.send(case.sends)
                    found = peer.outcome(case.stream)
                self.assertIn(found, case.allowed, f"{case.name}: {found}, but {case.section} asks for {shown(case.allowed)}")
