"""Load in both directions, such that what is stored in the end tells of every lost, doubled or late message."""

import random
import threading
import time

import grpc
from delivery import DeliveryClient
from oms_simulator import snapshot
from oms_simulator.snapshots import UPDATED
from reflected import Reflected

INSISTS_S = 90  # on one request
CREATED = "2024-02-03T04:05:06+00:00"
UNKNOWN = "magento.nobody.knows_this.updated"


class Chains:
    """Messages of the OMS in one chain a key.

    Message n sets row n to 2n and row n-1 to 2n-1, all with one created_on, so that the rule of stock lets everything
    pass. In the end row n holds 2n+1, but for the last one. A message that is lost, has its effect again after the next
    one, or changes places with its neighbour leaves another number.
    """

    def __init__(self, prefix, keys):
        self._counts = {f"{prefix}-{key}": 0 for key in range(keys)}
        self._number = 0

    @property
    def aggregates(self):
        return list(self._counts)

    def next(self, choice):
        """(id, method, key, params) of a message of a key that `choice`, a Random, takes."""
        key = choice.choice(self.aggregates)
        self._counts[key] += 1
        number = self._counts[key]
        rows = [(f"P{number - 1}", 2 * number - 1), (f"P{number}", 2 * number)]
        return f"{key}/{number}", UPDATED, key, snapshot(key, "DELTA", CREATED, rows)


class Mixture:
    """Messages as they come in a shop: all modes, older and newer ones, now and then one that nobody can consume."""

    def __init__(self, prefix, keys):
        self.aggregates = [f"{prefix}-{key}" for key in range(keys)]
        self._number = 0

    def next(self, choice):
        self._number += 1
        key, name = choice.choice(self.aggregates), f"mix/{self._number}"
        mode = choice.choice(["FULL", "DELTA", "DELTA", "DELTA", "NONZERO"])
        created = f"2024-02-03T04:{choice.randrange(60):02}:{choice.randrange(60):02}+00:00"
        # What a NONZERO leaves out becomes 0: much of it would wait for an operator.
        count = choice.randint(24, 30) if mode == "NONZERO" else choice.randint(1, 8)
        rows = [(f"S{sku}", choice.randrange(1_000)) for sku in sorted(choice.sample(range(30), count))]
        kind = choice.random()
        if kind < 0.03:
            return name, UPDATED, key, snapshot(key, "PARTIAL", created, rows)
        if kind < 0.06:
            return name, UNKNOWN, key, {"anything": self._number}
        return name, UPDATED, key, snapshot(key, mode, created, rows)


class Incoming:
    """Keeps a Sender busy: never more than `ahead` messages wait. Those that the gateway has taken it may have to hold, and as many
    as come in: `pause_s` lies between two."""

    def __init__(self, sender, sources, seed, ahead=24, pause_s=0):
        self._sender, self._sources, self._ahead, self._pause_s = sender, sources, ahead, pause_s
        self._choice = random.Random(seed)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._stopping.set()
        self._thread.join(30)

    def _run(self):
        while not self._stopping.is_set():
            if not self._sender.wait_for_room(self._ahead, 0.5):
                continue
            self._sender.send(*self._choice.choice(self._sources).next(self._choice))
            self._stopping.wait(self._pause_s)


class Outgoing:
    """Callers whose requests make the connector send; each has keys of its own, so that it knows their order."""

    def __init__(self, connect, ask, history, callers=2, keys=3, first=1, insists=lambda number: True,
                 identify=lambda number: {}, pause_s=0):
        """`connect()`: a client; `ask(client, marker, key)`: one request, that raises RpcError unless it is acknowledged.
        `insists(number)`: whether that request is made until it is acknowledged, or once only. `identify(number)`: what the
        history is to tell of the id that it has for the service. `pause_s`: between two requests of a caller."""
        self._identify, self._pause_s = identify, pause_s
        self._connect, self._ask, self._history, self._insists = connect, ask, history, insists
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._numbers = first - 1
        self.done = 0  # acknowledged
        self._threads = [threading.Thread(target=self._run, args=([f"W{n}-{key}" for key in range(keys)],), daemon=True)
                         for n in range(callers)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._stopping.set()
        for thread in self._threads:
            thread.join(60)

    def wait_for(self, more, timeout_s=60):
        """Until that many more requests are acknowledged."""
        with self._changed:
            goal = self.done + more
            if not self._changed.wait_for(lambda: self.done >= goal, timeout_s):
                raise AssertionError(f"{self.done} of {goal} requests were acknowledged within {timeout_s} s")

    def _run(self, keys):
        with self._connect() as client:
            while not self._stopping.is_set():
                for key in keys:
                    self.ask(client, key)
                    self._stopping.wait(self._pause_s)

    def ask(self, client, key):
        """One request; true when it was acknowledged in the end."""
        with self._changed:
            self._numbers += 1
            number = self._numbers
        marker, sent_ns, outcome, tries = f"req-{number}", time.monotonic_ns(), "unknown", 0
        deadline = time.monotonic() + INSISTS_S
        while outcome == "unknown":
            tries += 1
            try:
                self._ask(client, marker, key)
                outcome, reason = "acknowledged", ""
            except grpc.RpcError as error:
                reason = f"{error.code().name}: {error.details()}"
                if error.code() in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.ALREADY_EXISTS):
                    outcome = "refused"
                # A gateway that is away refuses at once.
                if self._stopping.wait(0.02) or not self._insists(number) or time.monotonic() > deadline:
                    break
        self._history.add(
            "request", sent_ns=sent_ns, marker=marker, key=key, outcome=outcome, reason=reason, tries=tries,
            **self._identify(number))
        with self._changed:
            self.done += outcome == "acknowledged"
            self._changed.notify_all()
        return outcome == "acknowledged"


ADJUST = "magento.inventory.source_stock_management.adjust"


def adjustment(marker, key):
    """The params of a message of the connector that carries a marker."""
    return {"adjustment": {"source_id": key, "reason": "count", "created_on": CREATED,
                           "adjustments": [{"sku": marker, "quantity": -1}]}}


def by_enqueue(lab, **options):
    """Messages that are handed to the gateway as a service's relay does."""

    def ask(client, marker, key):
        client.enqueue(f"test-{marker}", adjustment(marker, key), method=ADJUST, key=key, timeout=10)

    return Outgoing(lambda: DeliveryClient(lab.stack.socket("gateway")), ask, lab.told, **options)


def by_service(lab, **options):
    """Messages that inventory owes the OMS for changes of the stock of a source. Every other one has an id of its own and is
    asked for until it is acknowledged."""
    rpc = "omsconnector.v1.InventoryService/AdjustSourceStock"

    def request_id(number):
        return {"request_id": f"req-{number}"} if number % 2 else {}

    def ask(client, marker, key):
        request = {"adjustment": {"source_id": key, "reason": "count", "created_on": "2024-02-03T04:05:06Z",
                                  "adjustments": [{"sku": marker, "quantity": -1}]}}
        client.call(rpc, {**request, **request_id(int(marker.removeprefix("req-")))}, timeout=10)

    def identify(number):
        return {**request_id(number), "rpc": "/" + rpc}

    return Outgoing(lambda: Reflected(lab.stack.grpc), ask, lab.told, insists=lambda number: number % 2, identify=identify,
                    **options)
