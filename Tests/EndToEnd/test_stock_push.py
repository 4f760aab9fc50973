"""Stock from the OMS to the shop."""

import os
import tempfile
import unittest
from concurrent import futures
from decimal import Decimal

import grpc
from bus import STOCK
from google.protobuf import descriptor_pool, message_factory
from oms_simulator import snapshot
from oms_simulator.snapshots import UPDATED
from postgresql import PostgreSQL
from reflected import Reflected
from shop_simulator import place
from shop_stack import shop_stack
from waiting import wait_until

SALES = "omsconnector.v1.SalesService"
MAPPING = """
website base = EU-STORE
aggregate EU-WEB = base source=berlin
"""


class Sales:
    """In the place of the sales service: knows the open units that a test says, once it is told any."""

    def __init__(self, address):
        self.units = {}  # (SKU, website) → (acknowledged, unacknowledged)
        self._address, self._server = address, None

    def start(self, client):
        """`client`: of a gateway, which knows the messages."""
        method = client.service(SALES).methods_by_name["ListOpenUnits"]
        request, self._response = (message_factory.GetMessageClass(kind) for kind in (method.input_type, method.output_type))
        handler = grpc.unary_unary_rpc_method_handler(self._answer, request.FromString, self._response.SerializeToString)
        self._server = grpc.server(futures.ThreadPoolExecutor(2))
        self._server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler(SALES, {"ListOpenUnits": handler})])
        self._server.add_insecure_port(self._address)
        self._server.start()
        return self

    def stop(self):
        if self._server:
            self._server.stop(0).wait()
            self._server = None

    def _answer(self, request, _):
        response = self._response()
        for (sku, website), (acknowledged, unacknowledged) in self.units.items():
            if sku in request.skus:
                found = response.open_units.add(sku=sku, website=website)
                found.acknowledged.value, found.unacknowledged.value = str(acknowledged), str(unacknowledged)
        return response


class Case(unittest.TestCase):
    MSI, MAPPING, REPLICAS = True, MAPPING, 1

    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory(prefix="oms-sales-", dir="/tmp"))
        self.sales = Sales(f"unix:{folder}/sales.sock")
        self.addCleanup(self.sales.stop)
        self.shop, self.oms, self.stack = self.enterContext(shop_stack(
            {"msi": self.MSI}, self.MAPPING, services=("inventory", "gateway"), replicas=self.REPLICAS,
            sales_target=f"unix:{folder}/sales.sock", commerce_timeout="5s", **self.options()))
        with self.shop.lock:
            for sku in ("MUG", "CUP"):
                self.shop.catalog.put({"sku": sku, "price": "10", "stock": {"qty": 0}})
            if self.MSI:
                self.add_source("berlin", "base")
        self.client = self.enterContext(Reflected(self.stack.grpc))

    def options(self):
        """Further ones of the stack."""
        return {}

    def add_source(self, code, website):
        msi = self.shop.stock.msi
        msi.save_source({"source_code": code, "name": code})
        number = msi.save_stock({"name": code, "extension_attributes": {
            "sales_channels": [{"type": "website", "code": website}]}})
        msi.link({"stock_id": number, "source_code": code})

    def told(self, rows, mode="DELTA", created_on="2024-02-03T04:00:00Z", aggregate="EU-WEB"):
        self.assertTrue(self.oms.bus.publish(UPDATED, snapshot(aggregate, mode, created_on, rows))[0].delivered)

    def quantity(self, sku, source="berlin"):
        with self.shop.lock:
            if self.MSI:
                return self.shop.stock.msi.quantity(source, sku)
            return self.shop.stock.items.get(sku)["qty"]

    def wait_quantity(self, sku, quantity, source="berlin"):
        wait_until(lambda: self.quantity(sku, source) == quantity,
                   f"{sku} to be {quantity} in the shop; it is {self.quantity(sku, source)}; {self.aggregates()}")

    def aggregates(self):
        return self.client.call(f"{STOCK}/ListAggregates", {}).get("aggregates", [])

    def wait_pushed(self):
        wait_until(lambda: all(not a.get("pending") for a in self.aggregates()), f"all to be pushed: {self.aggregates()}")


class WithSources(Case):
    def test_message_reaches_the_source_of_the_website(self):
        self.sales.start(self.client)
        self.told([("MUG", 14), ("CUP", 0)])
        self.wait_quantity("MUG", 14)
        self.wait_quantity("CUP", 0)
        self.wait_pushed()
        found = self.aggregates()[0]
        self.assertEqual((found["aggregate_id"], found["website"], found["source_code"], found["skus"]), ("EU-WEB", "base", "berlin", 2))
        self.assertIn("last_pushed_at", found)

    def test_nothing_is_pushed_while_open_units_are_not_known(self):
        self.told([("MUG", 14)])
        wait_until(lambda: "open units" in self.aggregates()[0].get("last_error", ""), "the reason to be told")
        self.assertIsNone(self.quantity("MUG"))
        self.sales.start(self.client)
        self.wait_quantity("MUG", 14)
        wait_until(lambda: not self.aggregates()[0].get("last_error"), "the reason to go")

    def test_units_that_the_oms_has_taken_off_are_put_back(self):
        self.sales.start(self.client)
        self.told([("MUG", 10)])
        self.wait_quantity("MUG", 10)
        with self.shop.lock:
            place(self.shop, {"shipping": {"amount": "0"}, "lines": [{"sku": "MUG", "quantity": 3}]})
        self.sales.units["MUG", "base"] = (3, 0)
        self.told([("MUG", 7)], created_on="2024-02-03T05:00:00Z")
        self.client.call(f"{STOCK}/PushStock", {"skus": ["MUG"]})
        self.wait_pushed()
        with self.shop.lock:
            number = self.shop.stock.msi.stock_of("website", "base")["stock_id"]
            self.assertEqual((self.quantity("MUG"), self.shop.stock.msi.salable("MUG", number)), (10, 7))

    def test_unknown_sku_is_singled_out(self):
        self.sales.start(self.client)
        self.told([("MUG", 1), ("NOBODY", 2), (" CUP", 3)])
        self.wait_quantity("MUG", 1)
        wait_until(lambda: self.aggregates()[0].get("failed") == 2, "two to have failed")
        self.assertIsNone(self.quantity("NOBODY"))

    def test_shop_that_was_down_is_caught_up_with(self):
        self.sales.start(self.client)
        self.shop.down()
        self.told([("MUG", 5)])
        wait_until(lambda: self.aggregates()[0].get("last_error"), "the reason to be told")
        self.told([("MUG", 6)], created_on="2024-02-03T05:00:00Z")
        self.shop.up()
        self.wait_quantity("MUG", 6)
        self.wait_pushed()

    def test_answer_that_was_lost_does_no_harm(self):
        self.sales.start(self.client)
        self.told([("CUP", 1)])
        self.wait_quantity("CUP", 1)
        self.shop.faults.plan("close", "/V1/inventory/source-items", verb="POST", handled=True)
        self.told([("MUG", 5)])
        self.wait_quantity("MUG", 5)
        self.wait_pushed()
        self.assertTrue(self.shop.faults.is_through)

    def test_many_rows_go_as_bulk_jobs(self):
        self.sales.start(self.client)
        skus = [f"S{n}" for n in range(10_000)]
        with self.shop.lock:
            for sku in skus:
                self.shop.catalog.put({"sku": sku, "price": "1"})
        self.told([(sku, n) for n, sku in enumerate(skus)], "FULL")
        wait_until(lambda: all(not a.get("pending") for a in self.aggregates()), "all to be pushed", timeout_s=120)
        self.assertEqual([self.quantity(sku) for sku in skus], [Decimal(n) for n in range(10_000)])
        asynchronous = [r for r in self.shop.requests.all() if "/async/" in r.path]
        self.assertTrue(asynchronous)

    def test_unlimited_product_is_not_counted(self):
        self.sales.start(self.client)
        self.told([("MUG", 0, True)])
        self.wait_pushed()
        with self.shop.lock:
            self.assertFalse(self.shop.stock.items.managed("MUG"))
        self.told([("MUG", 3)], created_on="2024-02-03T05:00:00Z")
        self.wait_quantity("MUG", 3)
        self.wait_pushed()
        with self.shop.lock:
            self.assertTrue(self.shop.stock.items.managed("MUG"))


class WithoutSources(Case):
    MSI = False

    def test_message_reaches_the_product_less_what_the_oms_does_not_know(self):
        self.sales.units["MUG", "base"] = (5, 2)
        self.sales.start(self.client)
        self.told([("MUG", 14), ("CUP", 1)])
        self.wait_quantity("MUG", 12)
        self.wait_quantity("CUP", 1)
        self.told([("MUG", 1)], created_on="2024-02-03T05:00:00Z")
        self.wait_quantity("MUG", 0)
        with self.shop.lock:
            self.assertFalse(self.shop.stock.items.get("MUG")["is_in_stock"])

    def test_unknown_sku_is_singled_out(self):
        self.sales.start(self.client)
        self.told([("NOBODY", 2), ("MUG", 1)])
        self.wait_quantity("MUG", 1)
        wait_until(lambda: self.aggregates()[0].get("failed") == 1, "one to have failed")


class Unmapped(Case):
    def test_aggregate_without_a_website_is_listed_and_not_pushed(self):
        self.sales.start(self.client)
        self.told([("MUG", 1)], aggregate="US-WEB")
        self.told([("CUP", 1)])
        self.wait_quantity("CUP", 1)
        found = {a["aggregate_id"]: a for a in self.aggregates()}
        self.assertNotIn("website", found["US-WEB"])
        self.assertIsNone(self.quantity("MUG"))


class Replicas(Case):
    REPLICAS = 2

    def test_pushes_of_a_sku_do_not_overlap(self):
        self.sales.start(self.client)
        self.shop.faults.plan("slow", "/V1/inventory/source-items", times=None, verb="POST", delay_s=0.05)

        def pushes():
            return [r for r in self.shop.requests.all() if r.verb == "POST" and r.path.endswith("/V1/inventory/source-items")]

        for number in range(30):
            self.told([("MUG", number), ("CUP", number)], created_on=f"2024-02-03T04:00:{number:02}Z")
            if number == 0:  # what comes while it is under way can't go with it
                wait_until(lambda: all(any(sku in r.body for r in pushes()) for sku in (b"MUG", b"CUP")), "the first to be pushed")
        self.wait_quantity("MUG", 29)
        self.wait_quantity("CUP", 29)
        self.wait_pushed()
        requests = pushes()
        for sku in ("MUG", "CUP"):
            spans = sorted((r.at_ns, r.answer_ns) for r in requests if sku.encode() in r.body)
            self.assertGreater(len(spans), 1)
            for (_, end), (start, _) in zip(spans, spans[1:]):
                self.assertGreaterEqual(start, end, sku)


class OnPostgreSQL(Case):
    REPLICAS = 2

    def options(self):
        return {"database_url": self.enterContext(PostgreSQL()).url}

    def test_stock_reaches_the_shop_in_parts_and_as_bulk_jobs(self):
        self.told([("MUG", 14)])
        wait_until(lambda: "open units" in self.aggregates()[0].get("last_error", ""), "the reason to be told")
        self.sales.start(self.client)
        self.wait_quantity("MUG", 14)
        wait_until(lambda: not self.aggregates()[0].get("last_error"), "the reason to go")
        skus = [f"S{n}" for n in range(10_000)]
        with self.shop.lock:
            for sku in skus:
                self.shop.catalog.put({"sku": sku, "price": "1"})
        # The answer to the first job is lost: its SKUs go beside it.
        self.shop.faults.plan("close", "/async/*", verb="POST", handled=True)
        self.told([(sku, n) for n, sku in enumerate(skus)], "FULL", created_on="2024-02-03T05:00:00Z")
        wait_until(lambda: all(not a.get("pending") for a in self.aggregates()), "all to be pushed", timeout_s=240)
        self.assertTrue(self.shop.faults.is_through)
        self.assertEqual([self.quantity(sku) for sku in skus], [Decimal(n) for n in range(10_000)])
        self.assertIn("a bulk job was lost", self.aggregates()[0]["last_error"])
        done = self.stack.omsctl("stock", "explain", "EU-WEB", "S7")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("APPLIED", done.stdout)


class Explained(Case):
    def test_operator_learns_why_a_message_was_discarded(self):
        self.sales.start(self.client)
        self.told([("MUG", 5)], created_on="2024-02-03T05:00:00Z")
        self.told([("MUG", 7)], created_on="2024-02-03T04:00:00Z")
        self.told([("MUG", 5)], created_on="2024-02-03T06:00:00Z")
        done = self.stack.omsctl("stock", "explain", "EU-WEB", "MUG")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, "(?s)UNCHANGED.*STALE.*APPLIED")
        self.assertIn("its created_on 2024-02-03T04:00:00Z is before the entry's 2024-02-03T05:00:00Z", done.stdout)

    def test_a_sku_is_found_at_the_end_of_a_long_message_too(self):
        self.sales.start(self.client)
        self.told([("MUG", 5)], created_on="2024-02-03T05:00:00Z")
        # As large as the parts that the OMS sends: several times what the journal shows by itself.
        rows = [(f"OTHER-{number:06d}", 1) for number in range(5_000)]
        self.told([*rows, ("MUG", 7)], created_on="2024-02-03T04:00:00Z")
        done = self.stack.omsctl("stock", "explain", "EU-WEB", "MUG")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, "(?s)STALE.*APPLIED")
        self.assertNotIn("can't be told", done.stdout)

    def test_message_from_the_future_waits_for_the_operator(self):
        self.sales.start(self.client)
        self.told([("MUG", 5)], created_on="2099-01-01T00:00:00Z")
        held = self.client.call(f"{STOCK}/ListHeldSnapshots", {})["held_snapshots"]
        self.assertEqual([(h["reason"], h["skus"]) for h in held], [("HELD_REASON_FUTURE", 1)])
        self.assertEqual(self.stack.omsctl("stock", "get", "EU-WEB", "MUG").returncode, 1)
        done = self.stack.omsctl("stock", "held", "apply", str(held[0]["id"]))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.wait_quantity("MUG", 5)

    def test_parts_of_a_nonzero_from_the_future_are_applied_as_one(self):
        self.sales.start(self.client)
        with self.shop.lock:
            self.shop.catalog.put({"sku": "JUG", "price": "10", "stock": {"qty": 0}})
        self.told([("JUG", 1)], "FULL")
        self.wait_quantity("JUG", 1)
        for rows in ([("MUG", 5), ("JUG", None)], [("CUP", 6)]):
            self.told(rows, "NONZERO", created_on="2099-01-01T00:00:00Z")
        done = self.stack.omsctl("stock", "held", "apply", "--aggregate", "EU-WEB")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.wait_quantity("MUG", 5)
        self.wait_quantity("CUP", 6)
        self.wait_pushed()
        self.assertEqual(self.quantity("JUG"), 1, "its row is bad, so that it is not left out")
        self.assertNotIn("held_snapshots", self.client.call(f"{STOCK}/ListHeldSnapshots", {}))

    def test_sources_are_those_that_the_oms_tells_of(self):
        source = {"id": "BERLIN", "name": "Berlin", "type": "Warehouse", "aggregate_ids": ["EU-WEB"]}
        for event in ("created", "updated"):
            self.oms.bus.publish(f"magento.inventory.source_management.{event}", {"source": source})
        wait_until(lambda: "BERLIN" in self.stack.omsctl("sources").stdout, "the source to be listed")
        self.oms.bus.publish("magento.inventory.source_management.deleted", {"source_id": "BERLIN"})
        wait_until(lambda: "deleted" in self.stack.omsctl("sources").stdout, "the source to be gone")
