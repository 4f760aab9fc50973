"""The whole stack with all stores on one PostgreSQL server: nothing of a message's way knows SQLite only."""

import json
import signal
import unittest

from bus import STOCK, quantities, registered_stack
from oms_simulator import snapshot
from oms_simulator.snapshots import UPDATED
from postgresql import PostgreSQL
from reflected import Reflected
from waiting import wait_until

CREATED = "2024-02-03T04:05:06+00:00"
UPDATE = "magento.inventory.source_stock_management.update"


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
                "stock": [{"sku": "MUG", "quantity": 5}]}})["delivery_ids"]

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


if __name__ == "__main__":
    unittest.main()
