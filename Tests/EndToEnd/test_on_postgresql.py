"""The whole stack with all stores on one PostgreSQL server: nothing of a message's way knows SQLite only."""

import contextlib
import json
import os
import signal
import unittest

from bus import STOCK, quantities, registered_stack
from oms_simulator import snapshot
from oms_simulator.snapshots import UPDATED
from postgresql import PostgreSQL
from reflected import Reflected
from shop_stack import events, shop_stack
from stack import Process
from waiting import wait_until

CREATED = "2024-02-03T04:05:06+00:00"
PRODUCT = "magento.catalog.product_management.updated"
UPDATE = "magento.inventory.source_stock_management.update"


@contextlib.contextmanager
def second_catalog(stack):
    """Another replica of the catalog beside the stack's."""
    log = os.path.join(stack.state_dir, "log", "catalog-2.log")
    replica = Process("catalog", stack.environment("catalog-2.sock"), log).start().wait_healthy()
    try:
        yield replica
    finally:
        replica.stop()


class OnPostgreSQL(unittest.TestCase):
    def omsctl(self, stack, *arguments):
        done = stack.omsctl(*arguments, "--json")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def test_a_message_comes_in_and_one_goes_out_and_the_journal_has_both(self):
        with PostgreSQL() as server, registered_stack(database_url=server.url, replicas=2) as (oms, stack), \
                Reflected(stack.grpc) as client:
            oms.publish_stock("PG", "FULL", CREATED, [("MUG", 3), ("CUP", 0, True)])
            oms.bus.publish(UPDATED, snapshot("PG", "PARTIAL", CREATED, [("MUG", 1)]))
            self.assertEqual(quantities(client, "PG"), {"MUG": 3, "CUP": None})
            delivery_id, = client.call(f"{STOCK}/UpdateSourceStock", {"snapshot": {
                "source_id": "WH-1", "mode": "SNAPSHOT_MODE_DELTA", "created_on": "2024-02-03T04:05:06Z",
                "stock": [{"sku": "MUG", "quantity": 5}]}, "request_id": "R-1"})["delivery_ids"]

            def ended(*filters):
                messages = self.omsctl(stack, "journal", "list", *filters)["messages"]
                return messages if all(each["status"] != "MESSAGE_STATUS_PENDING" for each in messages) else None

            out, = wait_until(lambda: ended("--direction", "out"), "the message for the OMS to end")
            self.assertEqual((out["delivery_id"], out["method"], out["status"]), (delivery_id, UPDATE, "MESSAGE_STATUS_SUCCESS"))
            poison, good = wait_until(lambda: ended("--direction", "in"), "the messages of the OMS to end")
            self.assertEqual([good["status"], poison["status"]], ["MESSAGE_STATUS_SUCCESS", "MESSAGE_STATUS_ERROR"])

            # Repairs, and what is left of them after a restart.
            self.omsctl(stack, "journal", "replay", str(good["id"]), "--by", "anna")
            self.omsctl(stack, "journal", "discard", str(poison["id"]), "--reason", "a mode that there is not")
            before = wait_until(lambda: ended(), "the replay to end")
            stack.gateway.signal(signal.SIGTERM)
            self.assertEqual(stack.gateway.wait(), 0, stack.gateway.log())
            stack.gateway.start().wait_healthy()
            self.assertEqual(ended(), before)
            self.assertEqual([each["replay_count"] for each in before if each["id"] == good["id"]], [1])
            queue = self.omsctl(stack, "queue")
            self.assertIn((0, "inventory"), [(each["depth"], each["service"]) for each in queue["outboxes"]])
            self.assertEqual({each["depth"] for each in queue["queues"]}, {0})
            schemas = server.query("SELECT nspname FROM pg_namespace WHERE nspname IN ('gateway', 'inventory') ORDER BY 1")
            self.assertEqual(schemas, ["gateway", "inventory"], "the stores are there, not in files")

    def test_two_replicas_poll_and_export_the_shops_catalog_as_one(self):
        count = 700  # more than two pages of the shop
        with PostgreSQL() as server, shop_stack(
                database_url=server.url, services=("gateway", "catalog")) as (shop, oms, stack), second_catalog(stack):
            def told(status="ACTIVE"):
                return [p["sku"] for p in (event["product"] for event in events(oms, PRODUCT))
                        if p["type"] == "simple" and p["status"] == status]

            skus = [f"P-{number:04d}" for number in range(count)]
            with shop.lock:
                shop.clock.move(-60)
                for sku in skus:
                    shop.catalog.put({"sku": sku, "name": sku, "price": "10"})
            wait_until(lambda: len(told()) >= count, "the catalog")
            with shop.lock:
                shop.catalog.put({"sku": skus[7], "name": "Renamed", "price": "10"})
            wait_until(lambda: len(told()) > count, "the change")
            self.assertEqual(sorted(told()), sorted(skus + skus[7:8]), "one of the replicas tells, once")

            with shop.lock:
                shop.catalog.delete(skus[9])
            last = self.omsctl(stack, "catalog", "export", "--full")
            self.assertEqual((last["state"], last["read"], last["exported"], last["deactivated"], last["reason"]),
                             ("FULL_EXPORT_STATE_DONE", count - 1, count - 1, 1, ""))
            wait_until(lambda: told("INACTIVE") == skus[9:10], "the product that is gone")
            self.assertEqual(sorted(told()), sorted(skus + skus[7:8] + skus[:9] + skus[10:]))
            self.assertEqual(server.query("SELECT read_count, state FROM catalog.catalog_run ORDER BY id DESC LIMIT 1"),
                             [f"{count - 1}|done"])


if __name__ == "__main__":
    unittest.main()
