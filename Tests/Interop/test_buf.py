"""`buf curl` as the README tells people to call it."""

import json
import os
import subprocess
import sys
import unittest

from stack import Stack

BUF = os.path.join(os.path.dirname(sys.executable), "buf")


class BufCurl(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = cls.enterClassContext(Stack())

    def curl(self, path, *arguments):
        command = [BUF, "curl", "--protocol", "grpc", "--http2-prior-knowledge", *arguments, f"http://{self.stack.grpc}{path}"]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    def test_lists_services_and_methods_by_reflection(self):
        listed = self.curl("", "--list-services")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertIn("omsconnector.v1.InventoryService", listed.stdout.split())
        listed = self.curl("", "--list-methods")
        self.assertIn("omsconnector.v1.InventoryService/GetStock", listed.stdout.split())

    def test_calls_by_reflection(self):
        snapshot = {"aggregate_id": "BUF", "mode": "SNAPSHOT_MODE_DELTA", "created_on": "2024-01-01T00:00:00Z",
                    "stock": [{"sku": "A", "quantity": 7}]}
        applied = self.curl(
            "/omsconnector.v1.InventoryService/ApplyStockSnapshot", "-d", json.dumps({"snapshot": snapshot}))
        self.assertEqual(applied.returncode, 0, applied.stderr)
        read = self.curl("/omsconnector.v1.InventoryService/GetStock", "-d", '{"aggregate_id":"BUF","sku":"A"}')
        self.assertEqual(json.loads(read.stdout)["stock"]["quantity"], "7")

    def test_shows_status_and_message(self):
        read = self.curl("/omsconnector.v1.InventoryService/GetStock", "-d", '{"aggregate_id":"BUF","sku":"Größe"}')
        self.assertNotEqual(read.returncode, 0)
        self.assertIn("not_found", read.stderr)
        self.assertIn("Größe", read.stderr)


if __name__ == "__main__":
    unittest.main()
