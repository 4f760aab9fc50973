"""Three replicas of inventory behind the gateway come and go under load, and no call fails."""

import unittest

from bus import STOCK
from load import Load, write_one_row
from reflected import Reflected
from stack import Stack

NAMES = ("inventory-1", "inventory-2", "inventory-3")
CALLERS = 24


def mixed(aggregate_id):
    """A write, a read of it, and a stream of writes, which nothing on the way makes again when it fails."""
    write = write_one_row(aggregate_id)

    def call(client, number, count):
        if count % 3 == 2:
            sku = f"S{number}-{count - 1}"
            answer = client.call(f"{STOCK}/GetStock", {"aggregate_id": aggregate_id, "sku": sku})
            return sku, answer["stock"]["quantity"]
        if count % 3 == 0:
            skus = [f"S{number}-{count}-{part}" for part in range(3)]
            parts = [{"snapshot": {"aggregate_id": aggregate_id, "mode": 2, "created_on": "2024-01-01T00:00:00Z",
                                   "stock": [{"sku": sku, "quantity": count}]}} for sku in skus]
            client.call(f"{STOCK}/StreamStockSnapshots", parts)
            return skus[-1], count
        return write(client, number, count)

    return call


def without_streams(call):
    """Streams are not made again, so that those on a replica that is killed fail: they are left out."""

    def only_unary(client, number, count):
        return call(client, number, count * 3 - 2 if count % 2 else (count - 1) * 3 - 1)

    return only_unary


class RollingRestart(unittest.TestCase):
    def assert_none_failed(self, stack, load, aggregate_id):
        self.assertEqual([f"{e.code()} {e.details()}" for e in load.failures[:5]], [], f"{len(load.failures)} calls failed")
        with Reflected(stack.grpc) as client:
            for sku, quantity in load.done[:: max(1, len(load.done) // 200)]:
                held = client.call(f"{STOCK}/GetStock", {"aggregate_id": aggregate_id, "sku": sku})
                self.assertEqual(held["stock"]["quantity"], quantity, sku)

    def test_restart_of_all_replicas_in_turn_fails_no_call(self):
        with Stack(services=("inventory", "gateway"), replicas=3) as stack:
            with Load(stack.grpc, mixed("ROLLING"), threads=CALLERS) as load:
                for name in NAMES:
                    load.wait_for(200)
                    self.assertEqual(stack.processes[name].stop(), 0)
                    load.wait_for(50)
                    stack.processes[name].start().wait_healthy()
                load.wait_for(200)
            self.assert_none_failed(stack, load, "ROLLING")

    def test_kill_of_all_replicas_in_turn_fails_no_idempotent_call(self):
        with Stack(services=("inventory", "gateway"), replicas=3) as stack:
            with Load(stack.grpc, without_streams(mixed("KILLED")), threads=CALLERS) as load:
                for name in NAMES:
                    load.wait_for(200)
                    stack.processes[name].kill()
                    load.wait_for(100)
                    stack.processes[name].start().wait_healthy()
                load.wait_for(200)
            self.assert_none_failed(stack, load, "KILLED")


if __name__ == "__main__":
    unittest.main()
