"""The command line against a running stack."""

import json
import os
import subprocess
import unittest

from bus import registered_stack
from stack import BIN, clean_environment


class Omsctl(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.oms, cls.stack = cls.enterClassContext(registered_stack())

    def run_ok(self, *arguments, **options):
        done = self.stack.omsctl(*arguments, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def run_json(self, *arguments, **options):
        return json.loads(self.run_ok("-o", "json", *arguments, **options))

    def test_status_shows_every_service_and_the_registration(self):
        shown = self.run_ok("status")
        for word in ("gateway", "catalog", "inventory", "sales", "post-sales", "SERVING", "REGISTERED"):
            self.assertIn(word, shown)
        status = self.run_json("status")
        self.assertEqual({s["health"] for s in status["services"]}, {"SERVING"})
        self.assertEqual(status["registration"]["state"], "REGISTRATION_STATE_REGISTERED")

    def test_register_registers(self):
        self.assertIn("REGISTERED", self.run_ok("register"))

    def test_stock_goes_in_and_comes_out(self):
        snapshot = {"aggregate_id": "CTL", "mode": "SNAPSHOT_MODE_FULL", "created_on": "2024-02-03T04:05:06Z", "stock": [
            {"sku": "A", "quantity": 14}, {"sku": "Ä 茶", "quantity": 0, "unlimited": True}, {"sku": "LOW", "quantity": -1},
            {"sku": "NONE"}]}
        path = os.path.join(self.stack.state_dir, "snapshot.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(snapshot, file)
        applied = self.run_json("stock", "apply", path)
        self.assertEqual([applied[name] for name in ("applied", "clamped", "invalid")], [2, 1, 1])
        self.assertIn("NONE", self.run_ok("stock", "apply", path))
        self.assertRegex(self.run_ok("stock", "get", "CTL", "A"), r"\b14\b")
        self.assertEqual(self.run_json("stock", "get", "CTL", "A")["stock"]["quantity"], 14)
        listed = self.run_ok("stock", "list", "CTL")
        self.assertRegex(listed, r"Ä 茶 +0 +unlimited")
        self.assertRegex(listed, r"LOW +0 +2024-02-03")
        self.assertEqual([s["sku"] for s in self.run_json("stock", "list", "CTL")["stock"]], ["A", "LOW", "Ä 茶"])

    def test_report_shows_messages_and_calls(self):
        self.oms.publish_stock("REPORT", "DELTA", "2024-02-03T04:05:06Z", [("A", 1)])
        self.run_ok("stock", "get", "REPORT", "A")
        shown = self.run_ok("report")
        self.assertIn("magento.inventory.aggregate_stock_management.updated", shown)
        self.assertIn("omsconnector.v1.InventoryService/GetStock", shown)
        self.assertTrue(self.run_json("report")["endpoints"])

    def test_what_is_not_there_is_an_error_with_status_1(self):
        done = self.stack.omsctl("stock", "get", "CTL", "Nirgends ß")
        self.assertEqual(done.returncode, 1)
        self.assertIn("Nirgends ß", done.stderr)

    def test_wrong_use_ends_with_status_2(self):
        for arguments in ([], ["frobnicate"], ["stock"], ["stock", "get", "A"], ["-o", "xml", "status"], ["stock", "apply", "/no/such.json"]):
            with self.subTest(arguments):
                done = self.stack.omsctl(*arguments)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertTrue(done.stderr)

    def test_gateway_that_is_not_there_is_named(self):
        environment = {**clean_environment(), "OMSCTL_GATEWAY": "127.0.0.1:1"}
        done = subprocess.run(
            [os.path.join(BIN, "omsctl"), "status"], env=environment, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("127.0.0.1:1", done.stderr)


if __name__ == "__main__":
    unittest.main()
