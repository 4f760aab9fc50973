"""Writers and readers that go on until they are told to stop, and what came of their calls."""

import threading

import grpc
from bus import STOCK
from reflected import Reflected


class Load:
    """`threads` callers; each has a connection of its own.

        with Load(stack.grpc, write) as load: …; load.wait_for(100)
        load.done, load.failures
    """

    def __init__(self, target, call, threads=4):
        self._target, self._call = target, call
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self.done = []  # what `call` gave, of calls that were acknowledged
        self.failures = []  # RpcErrors
        self._threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        for thread in self._threads:
            thread.join(60)

    def _run(self, number):
        with Reflected(self._target) as client:
            count = 0
            while not self._stopping.is_set():
                count += 1
                try:
                    outcome = self._call(client, number, count)
                except grpc.RpcError as error:
                    with self._changed:
                        self.failures.append(error)
                        self._changed.notify_all()
                    # A server that is away refuses at once: do not spin.
                    self._stopping.wait(0.01)
                else:
                    with self._changed:
                        self.done.append(outcome)
                        self._changed.notify_all()

    def wait_for(self, more, timeout_s=60):
        """Until that many more calls have been acknowledged."""
        with self._changed:
            goal = len(self.done) + more
            if not self._changed.wait_for(lambda: len(self.done) >= goal, timeout_s):
                raise AssertionError(f"{len(self.done)} of {goal} calls within {timeout_s} s; failures: {self.failures[-3:]}")


def write_one_row(aggregate_id):
    """A call that writes a SKU of its own and gives its name once the write is acknowledged."""

    def write(client, number, count):
        sku = f"S{number}-{count}"
        snapshot = {"aggregate_id": aggregate_id, "mode": 2, "created_on": "2024-01-01T00:00:00Z",
                    "stock": [{"sku": sku, "quantity": count}]}
        answer = client.call(f"{STOCK}/ApplyStockSnapshot", {"snapshot": snapshot})
        assert answer["applied"] == 1, answer
        return sku, count

    return write
