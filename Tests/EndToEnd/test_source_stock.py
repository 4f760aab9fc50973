"""What clients tell of the stock of sources reaches the OMS, once and in order, whoever dies on the way."""

import json
import os
import sqlite3
import unittest
from contextlib import closing

from bus import STOCK, registered_stack
from delivery import UPDATE
from reflected import Reflected
from waiting import wait_until

ADJUST = "magento.inventory.source_stock_management.adjust"
CREATED = "2024-02-03T04:05:06Z"


def adjustment(quantity, source="WH-1"):
    return {"source_id": source, "reason": "count", "created_on": CREATED, "adjustments": [{"sku": "MUG", "quantity": quantity}]}


class SourceStock(unittest.TestCase):
    def setUp(self):
        self.oms, self.stack = self.enterContext(registered_stack(services=("gateway", "inventory")))

    def received(self, method):
        """The params that came to the OMS under each delivery id, in the order in which the ids came first."""
        found = {}
        for request in self.oms.requests.all():
            if request.path == "/delegate/oms":
                message = json.loads(request.body)
                if message["method"] == method:
                    found.setdefault(message["id"], message["params"])
        return found

    def waiting(self):
        """Rows in the outbox."""
        path = os.path.join(self.stack.state_dir, "data", "inventory.sqlite")
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT count(*) FROM outbox").fetchone()[0]

    def test_a_snapshot_arrives_and_leaves_the_outbox(self):
        with Reflected(self.stack.grpc) as client:
            reply = client.call(f"{STOCK}/UpdateSourceStock", {"snapshot": {
                "source_id": "WH-1", "mode": "SNAPSHOT_MODE_DELTA", "created_on": CREATED,
                "stock": [{"sku": "MUG", "quantity": 5}, {"sku": "EBOOK", "quantity": 0, "unlimited": True}]}})
        delivery_id, = reply["delivery_ids"]
        messages = wait_until(lambda: self.received(UPDATE), "the snapshot to arrive")
        self.assertEqual(messages, {delivery_id: {"snapshot": {
            "source_id": "WH-1", "mode": "DELTA", "created_on": "2024-02-03T04:05:06+00:00",
            "stock": [{"sku": "EBOOK", "quantity": 0, "unlimited": True}, {"sku": "MUG", "quantity": 5, "unlimited": False}]}}})
        wait_until(lambda: self.waiting() == 0, "the outbox to be empty")

    def test_changes_outlive_both_ends_and_keep_their_order(self):
        self.stack.gateway.kill()
        with Reflected(self.stack.socket("inventory-1")) as client:
            ids = [
                client.call(f"{STOCK}/AdjustSourceStock", {"adjustment": adjustment(n), "request_id": f"r-{n}"})["delivery_ids"][0]
                for n in range(1, 21)
            ]
        self.assertEqual(self.waiting(), 20)
        self.stack.inventory.kill()
        self.stack.inventory.start().wait_healthy()
        with Reflected(self.stack.socket("inventory-1")) as client:
            again = client.call(f"{STOCK}/AdjustSourceStock", {"adjustment": adjustment(20), "request_id": "r-20"})
        self.assertEqual(again["delivery_ids"], ids[-1:])
        self.stack.gateway.start().wait_healthy()
        messages = wait_until(lambda: len(self.received(ADJUST)) == 20 and self.received(ADJUST), "all changes to arrive")
        self.assertEqual(list(messages), ids)
        self.assertEqual([each["adjustment"]["adjustments"][0]["quantity"] for each in messages.values()], list(range(1, 21)))
        wait_until(lambda: self.waiting() == 0, "the outbox to be empty")


if __name__ == "__main__":
    unittest.main()
