"""Three replicas of inventory on one store."""

import unittest

from bus import STOCK
from load import Load, write_one_row
from reflected import Reflected
from stack import Stack
from waiting import wait_until


def calls_of(stack, name):
    """How many writes that replica has served, by its own timings."""
    with Reflected(stack.socket(name)) as client:
        timings = client.call("omsconnector.internal.v1.TimingService/GetTimings")
    found = [h for h in timings.get("histograms", []) if h["endpoint"] == f"{STOCK}/ApplyStockSnapshot"]
    return found[0]["count"] if found else 0


class Replicas(unittest.TestCase):
    NAMES = ("inventory-1", "inventory-2", "inventory-3")

    def test_all_are_used_and_the_report_adds_them_up(self):
        with Stack(services=("inventory", "gateway"), replicas=3) as stack:
            with Load(stack.grpc, write_one_row("SPREAD")) as load:
                wait_until(lambda: all(calls_of(stack, name) > 0 for name in self.NAMES), "each replica to get calls")
            self.assertEqual(load.failures, [])
            counts = [calls_of(stack, name) for name in self.NAMES]
            self.assertEqual(sum(counts), len(load.done))
            with Reflected(stack.grpc) as client:
                report = client.call("omsconnector.v1.ReportService/GetTimingReport", {"kind": "ENDPOINT_KIND_GRPC_METHOD"})
            found = [e["count"] for e in report["endpoints"]
                     if e["service"] == "inventory" and e["endpoint"] == f"{STOCK}/ApplyStockSnapshot"]
            self.assertEqual(found, [len(load.done)])

    def test_loss_of_one_fails_no_idempotent_call(self):
        with Stack(services=("inventory", "gateway"), replicas=3) as stack:
            with Load(stack.grpc, write_one_row("LOSS"), threads=8) as load:
                wait_until(lambda: all(calls_of(stack, name) > 0 for name in self.NAMES), "each replica to get calls")
                stack.processes["inventory-2"].kill()
                load.wait_for(300)
                stack.processes["inventory-2"].start().wait_healthy()
                wait_until(lambda: calls_of(stack, "inventory-2") > 0, "the new replica to get calls")
                stack.processes["inventory-1"].kill()
                load.wait_for(300)
            self.assertEqual([f"{e.code()} {e.details()}" for e in load.failures], [])

    def test_graceful_stop_of_one_fails_no_call(self):
        with Stack(services=("inventory", "gateway"), replicas=3) as stack:
            with Load(stack.grpc, write_one_row("ROLL"), threads=8) as load:
                for name in self.NAMES:
                    load.wait_for(100)
                    self.assertEqual(stack.processes[name].stop(), 0)
                    stack.processes[name].start().wait_healthy()
            self.assertEqual([f"{e.code()} {e.details()}" for e in load.failures], [])


if __name__ == "__main__":
    unittest.main()
