"""Callers that write stock and read it, and an account of what was acknowledged to them."""

import collections
import contextlib
import datetime
import threading

import grpc
from bus import STOCK, quantities
from reflected import Reflected
from retry_hint import retry_hint

CREATED = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
SKUS = 3  # of each caller
PATIENCE_S = 120  # on one call: longer than anything waits


def _text(error):
    return f"{error.code().name}: {error.details()}"


class Ledger:
    """Each caller has SKUs of its own. It sets one to ever larger quantities, and reads after each write: what was acknowledged
    must be there, and nothing that nobody has sent.

        with Ledger(stack.grpc, "LEDGER") as ledger: …; ledger.wait_for(100)
        ledger.failures; ledger.findings()
    """

    def __init__(self, target, aggregate, callers=8):
        self._target, self.aggregate = target, aggregate
        self._changed = threading.Condition()
        self._stopping = self._pausing = False
        self._busy = 0  # callers with a call under way
        self._wrong = []
        self._sent, self._acknowledged = collections.Counter(), collections.Counter()  # by SKU, the last quantity
        self.done = 0  # calls that were acknowledged
        self.of_caller = [0] * callers  # the same of each caller
        self.failures = []  # RpcErrors
        self._threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(callers)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(PATIENCE_S + 30)

    def wait_for(self, more, timeout_s=90):
        """Until that many more calls are acknowledged."""
        with self._changed:
            goal = self.done + more
            self._wait(lambda: self.done >= goal, lambda: f"{self.done} of {goal} calls were acknowledged", timeout_s)

    def wait_for_all(self, more=1, timeout_s=90):
        """Until each caller has had that many more of its calls acknowledged."""
        with self._changed:
            goals = [count + more for count in self.of_caller]
            self._wait(lambda: all(count >= goal for count, goal in zip(self.of_caller, goals, strict=True)),
                       lambda: f"of {goals} calls of each caller {self.of_caller} were acknowledged", timeout_s)

    @contextlib.contextmanager
    def paused(self, timeout_s=90):
        """No call is under way within."""
        with self._changed:
            self._pausing = True
            self._wait(lambda: self._busy == 0, lambda: f"{self._busy} calls have not ended", timeout_s)
        try:
            yield
        finally:
            with self._changed:
                self._pausing = False
                self._changed.notify_all()

    def _wait(self, condition, what, timeout_s):
        if not self._changed.wait_for(condition, timeout_s):
            raise AssertionError(f"{what()} within {timeout_s} s; the last failures: {self.texts()[-3:]}")

    def texts(self):
        """The failures for people."""
        return [_text(error) for error in self.failures]

    def _run(self, caller):
        # Connections are shared by all channels of a process otherwise.
        with Reflected(self._target, **{"grpc.use_local_subchannel_pool": 1}) as client:
            number = 0
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._stopping or not self._pausing)
                    if self._stopping:
                        return
                    self._busy += 1
                sku = f"S{caller}-{number // 2 % SKUS}"
                failure = self._attempt(self._write if number % 2 == 0 else self._read, client, sku)
                with self._changed:
                    self._busy -= 1
                    if failure is None:
                        self.done += 1
                        self.of_caller[caller] += 1
                    else:
                        self.failures.append(failure)
                    self._changed.notify_all()
                    if failure is not None:
                        # A server that refuses at once is not asked for ever.
                        self._changed.wait_for(lambda: self._stopping, 0.05)
                number += 1

    def _attempt(self, call, client, sku):
        try:
            call(client, sku)
        except grpc.RpcError as error:
            return error
        return None

    def _write(self, client, sku):
        self._sent[sku] += 1
        quantity = self._sent[sku]
        created = (CREATED + datetime.timedelta(seconds=quantity)).isoformat()
        snapshot = {"aggregate_id": self.aggregate, "mode": 2, "created_on": created,
                    "stock": [{"sku": sku, "quantity": quantity}]}
        client.call(f"{STOCK}/ApplyStockSnapshot", {"snapshot": snapshot}, timeout=PATIENCE_S)
        self._acknowledged[sku] = quantity

    def _read(self, client, sku):
        if self._acknowledged[sku]:
            answer = client.call(f"{STOCK}/GetStock", {"aggregate_id": self.aggregate, "sku": sku}, timeout=PATIENCE_S)
            self._check(sku, answer["stock"].get("quantity", 0), "was read")

    def _check(self, sku, quantity, what):
        if not self._acknowledged[sku] <= quantity <= self._sent[sku]:
            self._wrong.append(f"{sku}: {quantity} {what}, {self._acknowledged[sku]} is acknowledged and {self._sent[sku]} sent")

    def findings(self, client, server=None):
        """What is wrong, in words: acknowledged and lost, stored and never sent; and, with the PostgreSQL server of the store,
        changes that its history has twice or out of order. For a ledger that has stopped."""
        held = quantities(client, self.aggregate)
        for sku in sorted(self._sent.keys() | held.keys()):
            self._check(sku, held.get(sku, 0), "is stored")
        return self._wrong + (self._changes_out_of_order(server) if server else [])

    def _changes_out_of_order(self, server):
        rows = server.query("SELECT sku, quantity FROM inventory.stock_history "
                            f"WHERE aggregate_id = '{self.aggregate}' ORDER BY at, quantity")
        wrong, last = [], {}
        for sku, _, quantity in (row.partition("|") for row in rows):
            if int(quantity) <= last.get(sku, 0):
                wrong.append(f"{sku}: its history has {quantity} behind {last[sku]}")
            last[sku] = int(quantity)
        return wrong

    def without_hint(self):
        """Failures that are not UNAVAILABLE, or don't say when to try again."""
        return [_text(error) for error in self.failures
                if error.code() != grpc.StatusCode.UNAVAILABLE or retry_hint(error) is None]
