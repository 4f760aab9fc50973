"""What the services owe the OMS arrives, once and in order, or is accounted for."""

import json
import unittest

from bus import registered_stack
from delivery import UPDATE, DeliveryClient, journal
from waiting import wait_until


def received(oms, method=None):
    """The messages that came to the OMS, as (request, JSON-RPC request)."""
    found = []
    for request in oms.requests.all():
        if request.path == "/oauth/token":
            continue
        message = json.loads(request.body)
        if not message["method"].startswith("magento.service_bus.") and method in (None, message["method"]):
            found.append((request, message))
    return found


class Delivery(unittest.TestCase):
    OPTIONS = {}

    @classmethod
    def setUpClass(cls):
        cls.oms, cls.stack = cls.enterClassContext(registered_stack(services=("gateway",), **cls.OPTIONS))
        cls.client = cls.enterClassContext(DeliveryClient(cls.stack.socket("gateway")))

    def setUp(self):
        self.oms.requests.clear()
        self.addCleanup(self.oms.faults.clear)

    def status(self, delivery_id):
        rows = journal(self.stack, delivery_id)
        return rows[0]["status"] if rows else None

    def wait_for(self, status, *delivery_ids, timeout_s=30):
        wait_until(
            lambda: all(self.status(each) == status for each in delivery_ids),
            f"{', '.join(delivery_ids)} to be {status}; {journal(self.stack, *delivery_ids)}", timeout_s)


class Arrival(Delivery):
    def test_goes_the_way_that_it_was_handed_over_for(self):
        ways = {"remote": "/remote/oms", "delegate": "/delegate/oms", "events": "/events"}
        for route, path in ways.items():
            with self.subTest(route):
                self.oms.requests.clear()
                self.client.enqueue(f"way-{route}", {"n": 1.50, "text": "ü"}, route=route)
                self.wait_for("SUCCESS", f"way-{route}")
                (request, message), = received(self.oms)
                self.assertEqual(request.path, path)
                self.assertEqual(request.headers.get("to"), "*" if route == "events" else None)
                self.assertEqual(message, {
                    "jsonrpc": "2.0", "id": f"way-{route}", "method": UPDATE, "params": {"n": 1.50, "text": "ü"}})
                self.assertRegex(request.headers["traceparent"], "^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$")


if __name__ == "__main__":
    unittest.main()
