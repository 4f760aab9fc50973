"""What the gateway refuses when a service hands it over, as an operator finds and repairs it."""

import http.client
import json
import os
import signal
import sqlite3
import unittest
from contextlib import closing

from bus import STOCK, registered_stack
from reflected import Reflected
from waiting import wait_until

ADJUST = "magento.inventory.source_stock_management.adjust"
CREATED = "2024-02-03T04:05:06Z"


class RefusedMessages(unittest.TestCase):
    def setUp(self):
        self.oms, self.stack = self.enterContext(registered_stack())

    def omsctl(self, *arguments, code=0):
        done = self.stack.omsctl(*arguments)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def adjust(self, quantity):
        """The delivery id of one message for the OMS."""
        adjustment = {"source_id": "WH-1", "reason": "count", "created_on": CREATED,
                      "adjustments": [{"sku": "MUG", "quantity": quantity}]}
        with Reflected(self.stack.socket("inventory-1")) as client:
            return client.call(f"{STOCK}/AdjustSourceStock", {"adjustment": adjustment})["delivery_ids"][0]

    def taken(self):
        """Quantities that came to the OMS, in their order."""
        found = {}
        for request in self.oms.requests.all():
            if request.path == "/delegate/oms":
                message = json.loads(request.body)
                if message["method"] == ADJUST:
                    found[message["id"]] = message["params"]["adjustment"]["adjustments"][0]["quantity"]
        return list(found.values())

    def store(self):
        return closing(sqlite3.connect(os.path.join(self.stack.state_dir, "data", "inventory.sqlite"), timeout=30))

    def owe(self, quantity, route=9):
        """A message for a way to the OMS that this gateway does not know, as a service of a later version may owe it."""
        body = json.dumps({"adjustment": {"adjustments": [{"sku": "MUG", "quantity": quantity}]}})
        with self.store() as store, store:
            store.execute("INSERT INTO outbox (method, message_key, route, body, created_at) VALUES (?, 'WH-1', ?, ?, 0)",
                          (ADJUST, route, body.encode()))

    def upgrade(self):
        """Now it is one that the gateway knows."""
        with self.store() as store, store:
            store.execute("UPDATE outbox_refused SET route = 2")

    def refused(self, *options):
        return json.loads(self.omsctl("outbox", "list", "--json", *options).stdout)["messages"]

    def gauge(self, name):
        connection = http.client.HTTPConnection(self.stack.admin, timeout=10)
        with closing(connection):
            connection.request("GET", "/metrics")
            lines = connection.getresponse().read().decode().splitlines()
        return [float(line.split()[1]) for line in lines if line.startswith(name + '{service="inventory"}')]

    def test_they_are_found_retried_and_discarded(self):
        for quantity in (11, 12, 13):
            self.owe(quantity)
        wait_until(lambda: len(self.refused()) == 3, "the gateway to refuse them")
        ids = [each["delivery_id"] for each in self.refused()]

        table = self.omsctl("outbox", "list").stdout
        for text in (*ids, "OPEN", ADJUST, "route is 9", "omsctl outbox retry"):
            self.assertIn(text, table)
        queue = self.omsctl("queue").stdout
        self.assertRegex(queue, r"inventory +0 +3 +see omsctl outbox list")
        wait_until(lambda: self.gauge("omsconnector_outbox_refused") == [3.0], "the metric to say so")
        self.assertEqual(self.gauge("omsconnector_outbox_messages"), [0.0])
        self.assertEqual(self.gauge("omsconnector_outbox_oldest_age_seconds"), [0.0])
        self.assertIn('"quantity":11', self.omsctl("outbox", "show", ids[0]).stdout.replace(" ", ""))

        self.omsctl("outbox", "retry", ids[2])
        wait_until(lambda: len(self.refused()) == 3, "the gateway to refuse it once more")
        self.upgrade()
        done = json.loads(self.omsctl("outbox", "retry", ids[0], "--by", "anna", "--json").stdout)
        wait_until(lambda: self.taken() == [11], "the retried message to arrive")
        found = json.loads(self.omsctl("journal", "list", "--json", "--delivery-id", done["delivery_id"]).stdout)
        self.assertEqual(found["messages"][0]["method"], ADJUST)
        self.assertIn("was retried as", self.omsctl("outbox", "retry", ids[0], code=1).stderr)

        shown = self.omsctl("outbox", "discard", ids[1], "--reason", "counted again", "--by", "bob").stdout
        self.assertIn("DISCARDED", shown)
        self.assertRegex(self.omsctl("outbox", "retry", "--service", "inventory").stdout, r"\n +1  inventory-")
        wait_until(lambda: self.taken() == [11, 13], "the other message to arrive")
        self.assertEqual(self.refused(), [])
        handled = self.refused("--all")
        for each, name in zip(handled, ("anna", "bob")):
            self.assertIn(f"(as {name})", each["handled_by"])
        self.assertEqual(len(handled), 4)
        self.assertEqual((handled[0]["outcome"], handled[1]["outcome"]), (done["delivery_id"], "counted again"))

    def test_what_waits_for_the_gateway_is_counted_and_a_service_that_is_away_says_so(self):
        self.assertRegex(self.omsctl("queue").stdout, r"OUTBOX OF +DEPTH +OLDEST +REFUSED\n(?s:.*)\ninventory +0 +0\n")
        self.stack.inventory.kill()
        self.assertRegex(self.omsctl("queue").stdout, r"inventory +\? +\? +can't be reached")
        missing = self.omsctl("outbox", "list", code=1)
        self.assertIn("inventory: inventory can't be reached", missing.stderr)
        self.assertIn("UNAVAILABLE", self.omsctl("outbox", "list", "inventory", code=1).stderr)
        self.stack.inventory.start().wait_healthy()

    def test_wrong_use_says_what_to_do(self):
        self.assertIn("--reason", self.omsctl("outbox", "discard", "inventory-1-1", code=2).stderr)
        self.assertIn("NOT_FOUND", self.omsctl("outbox", "show", "inventory-1-1", code=1).stderr)
        self.assertIn("their ids begin with", self.omsctl("outbox", "show", "4711", code=1).stderr)
        self.assertIn("is not one of", self.omsctl("outbox", "retry", "--service", "nobody", code=1).stderr)

    def test_messages_for_the_oms_are_timed_by_method(self):
        self.adjust(1)
        wait_until(lambda: self.taken() == [1], "the message to arrive")

        def timed():
            report = json.loads(self.omsctl("report", "--kind", "bus", "--json").stdout)
            return [each for each in report["endpoints"] if each["endpoint"] == ADJUST]

        found, = wait_until(timed, "the report to have it")
        self.assertEqual((found["service"], int(found["count"]), int(found["failures"])), ("gateway", 1, 0))
        self.stack.gateway.signal(signal.SIGTERM)
        self.stack.gateway.wait()
        self.stack.gateway.start().wait_healthy()
        self.assertEqual(timed(), [found], "a restart changes nothing")


if __name__ == "__main__":
    unittest.main()
