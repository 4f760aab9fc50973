"""The timing report before and after a restart of the gateway."""

import contextlib
import signal
import unittest

from bus import STOCK
from reflected import Reflected
from stack import Stack

REPORT = "omsconnector.v1.ReportService/GetTimingReport"


def report(client):
    """(service, endpoint) → (count, failures, milliseconds at 50, 95, 99, most, counts by hour)."""
    answer = client.call(REPORT)
    assert not answer.get("missing_replicas"), answer["missing_replicas"]
    figures = ("count", "failures", "average_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms")
    return {
        (each["service"], each["endpoint"]): tuple(each.get(name, 0) for name in figures)
        + (tuple((hour["hour"], hour["count"]) for hour in each["history"]),)
        for each in answer.get("endpoints", [])
    }


def without_reports(figures):
    """Asking for a report is a call as well."""
    return {endpoint: each for endpoint, each in figures.items() if endpoint[1] != REPORT}


class TimingHistory(unittest.TestCase):
    def setUp(self):
        self.stack = self.enterContext(Stack())
        self.client = self.enterContext(Reflected(self.stack.grpc))

    def apply(self, count=20):
        snapshot = {"aggregate_id": "TIMED", "mode": 2, "created_on": "2024-01-01T00:00:00Z", "stock": [{"sku": "A", "quantity": 1}]}
        for _ in range(count):
            self.client.call(f"{STOCK}/ApplyStockSnapshot", {"snapshot": snapshot})

    def restart(self, number):
        gateway = self.stack.gateway
        gateway.signal(number)
        gateway.wait()
        gateway.start().wait_healthy()

    def test_a_restart_of_the_gateway_changes_nothing_in_the_report(self):
        self.apply()
        before = without_reports(report(self.client))
        self.assertEqual(before["inventory", f"{STOCK}/ApplyStockSnapshot"][0], 20)
        for _ in range(2):
            self.restart(signal.SIGTERM)
            self.assertEqual(without_reports(report(self.client)), before)

    def test_a_killed_gateway_loses_nothing_that_a_service_has_counted(self):
        def inventory():
            return {endpoint: each for endpoint, each in report(self.client).items() if endpoint[0] == "inventory"}

        self.apply()
        before = inventory()
        self.restart(signal.SIGKILL)
        self.assertEqual(inventory(), before)

    def test_what_a_service_counts_while_the_gateway_is_away_is_counted_once(self):
        self.apply(5)
        report(self.client)
        gateway = self.stack.gateway
        with contextlib.closing(Reflected(self.stack.socket("inventory-1"))) as inventory:
            gateway.signal(signal.SIGKILL)
            gateway.wait()
            for _ in range(7):
                inventory.call(f"{STOCK}/ListStock", {"aggregate_id": "TIMED"})
        gateway.start().wait_healthy()
        for _ in range(2):
            figures = report(self.client)
            self.assertEqual(figures["inventory", f"{STOCK}/ListStock"][0], 7)
            self.assertEqual(figures["inventory", f"{STOCK}/ApplyStockSnapshot"][0], 5)
