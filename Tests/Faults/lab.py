"""A registered stack between an OMS that keeps a history and whoever makes things go wrong; in the end the checker decides."""

import contextlib
import os
import random
import shutil
import tempfile
import unittest

from bus import CREDENTIALS
from checking import Run, verdict
from checking.verdict import summary
from oms_simulator import History, Manner, Oms, Sender
from oms_simulator.history import read
from stack import Stack, free_address
from store_state import PostgreSQLStores, SQLiteStores, State


class Lab:
    """One run, with all its files in a folder of its own.

        with self.lab() as lab: …; lab.assert_in_order()
    """

    SERVICES = ("inventory", "gateway")

    def __init__(self, test, seed, manner=None, stack=Stack, replicas=1, told=None, **settings):
        """`settings`: of the services; {folder} in them is the run's own. `told`: what else the checker has to know."""
        self._told = told or {}
        self._test, self.seed = test, seed
        self.random = random.Random(seed)
        self.folder = tempfile.mkdtemp(prefix="oms-lab-", dir="/tmp")
        self._manner = manner or Manner()
        settings = {name: value.format(folder=self.folder) for name, value in {**CREDENTIALS, **settings}.items()}
        self._make = lambda **oms: stack(self.SERVICES, replicas, os.path.join(self.folder, "state"), **settings, **oms)
        self.aggregates = []  # those whose stock the checker is to see

    def __enter__(self):
        with contextlib.ExitStack() as exits:
            self.told = exits.enter_context(History(os.path.join(self.folder, "test.jsonl")))
            history = exits.enter_context(History(os.path.join(self.folder, "oms.jsonl")))
            self.told.add("run", seed=self.seed, test=self._test.id(), **self._told)
            self.oms = exits.enter_context(Oms(free_address(), history, client_id="shop", client_secret="only-for-tests"))
            self.stack = exits.enter_context(self._make(oms_url=self.oms.url, oms_oauth_server_url=self.oms.url))
            self.endpoint = self.oms.bus.wait_for_registration(30)
            self.sender = exits.enter_context(Sender(self.endpoint, self._manner, history, self.seed))
            self.state = State(self.stack, stores_of(self.stack))
            self._exits = exits.pop_all()
        return self

    def __exit__(self, *failure):
        self._exits.__exit__(*failure)
        if failure[0] is None:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            print(f"seed {self.seed}; histories, stores and logs are in {self.folder}", flush=True)

    def send(self, source, messages=1):
        """Messages of a source of `traffic`, for the sender to deliver."""
        for _ in range(messages):
            self.sender.send(*source.next(self.random))

    def taken(self):
        """Delivery ids of the messages that the OMS has taken."""
        return {event["id"] for event in read(self.oms.history.path) if event["event"] == "received" and event["taken"]}

    def kill(self, name):
        """kill -9, into the history."""
        check_running(self.stack.processes[name])
        self.stack.processes[name].kill()
        self.told.add("kill", process=name)

    def restart(self, name):
        """kill -9, and its start at once."""
        self.kill(name)
        self.stack.processes[name].start()

    def assert_in_order(self, timeout_s=120):
        """Waits until all has come to rest, and asks the checker."""
        for process in self.stack.processes.values():
            process.wait_healthy()
        self.sender.wait_until_done(timeout_s)
        self.state.wait_at_rest(timeout_s)
        self.state.write(os.path.join(self.folder, "state.jsonl"), self.aggregates)
        run = Run.read(self.folder)
        findings = verdict(run)
        text = summary(run, findings)
        print("\n" + text, flush=True)
        self._test.assertEqual(findings, [], f"seed {self.seed}\n{text}")
        return run


def stores_of(stack):
    url = stack.gateway.environment["DATABASE_URL"]
    return SQLiteStores(url.removeprefix("sqlite:")) if url.startswith("sqlite:") else PostgreSQLStores(url)


def check_running(process):
    """A process that has ended by itself is a failure of its own."""
    if not process.running:
        raise AssertionError(f"{process.name} ended with status {process.process.poll()}:\n{process.log()[-20_000:]}")


class LabCase(unittest.TestCase):
    def lab(self, seed=None, **options):
        seed = seed_of_run() if seed is None else seed
        print(f"seed {seed}", flush=True)
        return Lab(self, seed, **options)


def seed_of_run():
    """FAULTS_SEED, or a new one."""
    return int(os.environ.get("FAULTS_SEED") or random.randrange(1 << 32))
