"""The shop's catalog reaches the OMS: what has changed, all of it, and from a file; whoever dies on the way."""

import base64
import json
import os
import sqlite3
import unittest
from contextlib import closing

from reflected import Reflected
from shop_stack import events, shop_stack
from stack import ROOT
from waiting import wait_until

CATALOG = "omsconnector.v1.CatalogService"
UPDATED = "magento.catalog.product_management.updated"
LUMA = os.environ.get("LUMA") or os.path.join(os.path.dirname(ROOT), "shared", "data", "luma")
MAPPING = """
website base = EU-STORE
attribute product color = colour
shipping dhl_express = DHL "By night"
"""


class CatalogCase(unittest.TestCase):
    OPTIONS = {}

    def setUp(self):
        self.shop, self.oms, self.stack = self.enterContext(
            shop_stack(mapping=MAPPING, services=("gateway", "catalog"), **self.OPTIONS))
        self.client = self.enterContext(Reflected(self.stack.grpc))

    def sent(self, sku=None):
        """The products that the OMS was told of, in their order; shipping methods only by their SKU."""
        products = [event["product"] for event in events(self.oms, UPDATED)]
        return [p for p in products if (p["sku"] == sku if sku else p["type"] != "shipping")]

    def wait_sent(self, count, sku=None):
        return wait_until(lambda: len(self.sent(sku)) >= count and self.sent(sku), f"{count} messages about {sku or 'products'}")

    def change(self, **asked):
        with self.shop.lock:
            self.shop.catalog.put(asked)

    def put(self, count, prefix="P"):
        with self.shop.lock:
            for number in range(1, count + 1):
                self.shop.catalog.put({"sku": f"{prefix}-{number:05d}", "name": f"Product {number}", "price": "10"})

    def rounds(self):
        """How often the shop was asked for what has changed."""
        return sum(1 for r in self.shop.requests.all() if r.path.startswith("/rest/all/V1/products?") and "updated_at" in r.path)

    def wait_polled(self, rounds=2):
        """Until whatever has been done in the shop was read."""
        before = self.rounds()
        wait_until(lambda: self.rounds() >= before + rounds, "the shop to be asked again")

    def settle(self):
        """Changes are seen once they are 5 s old; here at once."""
        with self.shop.lock:
            self.shop.clock.move(-60)


class Changes(CatalogCase):
    def setUp(self):
        super().setUp()
        self.settle()

    def test_a_new_product_arrives_and_then_what_the_oms_reads_of_it(self):
        with self.shop.lock:
            self.shop.catalog.attributes.put("color", options=["Blue", "Red"])
            blue, red = (option["value"] for option in self.shop.catalog.attributes.get("color")["options"])
        self.change(sku="MUG", name="Mug", price="12.50", weight="0.4", attributes={"color": blue, "image": "/m/u/mug.jpg"})
        first, = self.wait_sent(1, "MUG")
        created = first.pop("created_at")
        self.assertRegex(created, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$")
        first.pop("modified_at")
        self.assertEqual(first, {
            "id": "1", "type": "simple", "sku": "MUG", "status": "ACTIVE", "enabled": True, "children_skus": [],
            "name": [{"value": "Mug", "channel": "EU-STORE", "locale": "en_US"}],
            "price": {"currency": "USD", "amount": 12.5}, "price_adjustable": False,
            "custom_attributes": [{"name": "colour", "attribute_code": "colour", "value": "Blue"},
                                  {"name": "weight", "attribute_code": "weight", "value": "0.4"}]})
        # Nothing that a message carries.
        self.change(sku="MUG", attributes={"description": "A mug.", "image": "/m/u/new.jpg"})
        self.wait_polled()
        known = self.client.call(f"{CATALOG}/GetProduct", {"sku": "MUG"})["product"]
        self.assertEqual(known["image_url"], "http://shop.example/media/catalog/product/m/u/new.jpg")
        self.assertEqual(len(self.sent("MUG")), 1)
        self.change(sku="MUG", attributes={"color": red})
        second = self.wait_sent(2, "MUG")[1]
        self.assertEqual(second["custom_attributes"][0]["value"], "Red")
        self.wait_polled()
        self.assertEqual(len(self.sent("MUG")), 2)
        self.assertEqual({p["sku"]: p["name"][0]["value"] for event in events(self.oms, UPDATED)
                          for p in [event["product"]] if p["type"] == "shipping"}, {"DHL": "By night", "STANDARD": "Flat Rate"})
        found = self.client.call(f"{CATALOG}/LookUpProducts", {"product_ids": [1, 99], "skus": ["DHL", "NONE"]})
        self.assertEqual([p["sku"] for p in found["products"]], ["MUG", "DHL"])

    def test_every_type_of_product(self):
        self.put(2, "PART")
        self.change(sku="SHIRT", type="configurable", variants=["PART-00001", "PART-00002"], super_attributes=["size"])
        self.change(sku="KIT", type="bundle", options=[{"selections": [{"sku": "PART-00001"}]}], shipment_type=0)
        self.change(sku="SET", type="grouped", associated=["PART-00001"])
        self.change(sku="CARD", type="giftcard", price="50")
        self.change(sku="FILE", type="downloadable")
        self.change(sku="OFF", status=2)
        self.wait_sent(8)
        told = {p["sku"]: p for p in self.sent()}
        self.assertEqual({sku: p["type"] for sku, p in told.items()}, {
            "PART-00001": "simple", "PART-00002": "simple", "SHIRT": "configurable", "KIT": "bundle", "SET": "grouped",
            "CARD": "virtual", "FILE": "downloadable", "OFF": "simple"})
        self.assertEqual(told["SHIRT"]["children_skus"], ["PART-00001", "PART-00002"])
        self.assertEqual((told["OFF"]["status"], told["OFF"]["enabled"]), ("INACTIVE", False))
        kit = self.client.call(f"{CATALOG}/GetProduct", {"sku": "KIT"})["product"]
        self.assertTrue(kit["ships_together"])

    def test_a_product_that_is_named_is_read_at_once_and_one_that_is_gone_becomes_inactive(self):
        self.change(sku="A,B / C", name="Comma")
        self.change(sku="MUG", name="Mug")
        self.wait_sent(2)
        with self.shop.lock:
            self.shop.catalog.delete("MUG")
        answer = self.client.call(f"{CATALOG}/UpsertProducts", {"skus": ["MUG", "A,B / C", "NEVER"]})
        self.assertEqual((answer.get("deactivated"), answer.get("unchanged")), (1, 1))
        self.assertEqual([issue["sku"] for issue in answer["issues"]], ["NEVER"])
        self.assertEqual([p["status"] for p in self.wait_sent(2, "MUG")], ["ACTIVE", "INACTIVE"])

    def test_another_sku_is_another_product_for_the_oms(self):
        self.change(sku="MUG", name="Mug")
        self.wait_sent(1)
        with self.shop.lock:
            self.shop.catalog.rename("MUG", "CUP")
        self.wait_sent(1, "CUP")
        self.assertEqual([p["status"] for p in self.wait_sent(2, "MUG")], ["ACTIVE", "INACTIVE"])

    def test_omsctl_exports_shows_and_imports(self):
        self.change(sku="MUG", name="Mug")
        self.wait_sent(1)
        done = self.stack.omsctl("catalog", "export", "--full", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["state"], "FULL_EXPORT_STATE_DONE")
        self.wait_sent(2, "MUG")
        self.assertIn("Mug", self.stack.omsctl("catalog", "show", "MUG").stdout)
        self.assertIn("STANDARD", self.stack.omsctl("catalog", "list").stdout)
        path = os.path.join(self.stack.state_dir, "products.csv")
        with open(path, "w", encoding="utf-8") as file:
            file.write('sku,product_type,name,price\nCUP,simple,"A ""cup""\nof tea",3.50\nBAD,simple,Bad,dear\n')
        done = self.stack.omsctl("catalog", "import", path)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"4 +BAD +price")
        self.assertEqual(self.wait_sent(1, "CUP")[0]["name"][0]["value"], 'A "cup"\nof tea')

    def test_a_shop_that_is_away_or_slow_is_waited_for(self):
        self.shop.down()
        self.change(sku="MUG", name="Mug")
        self.shop.up()
        self.wait_sent(1, "MUG")
        self.shop.settings.change(page_limit=2)
        self.put(7)
        self.wait_sent(8)


class Gone(CatalogCase):
    OPTIONS = {"catalog_reconciliation_interval": "1s"}

    def test_what_is_gone_is_found_by_itself_unless_it_is_too_much(self):
        self.settle()
        self.put(100)
        self.wait_sent(100)
        with self.shop.lock:
            self.shop.catalog.delete("P-00007")
        self.assertEqual([p["status"] for p in self.wait_sent(2, "P-00007")], ["ACTIVE", "INACTIVE"])
        with self.shop.lock:
            for number in range(40, 81):
                self.shop.catalog.delete(f"P-{number:05d}")
        wait_until(lambda: "41 of 99 active products are gone" in self.stack.processes["catalog"].log(), "the guard to hold")
        self.assertEqual(len(self.sent()), 101)


    def test_another_shop_with_the_same_ids_makes_nothing_inactive_until_the_operator_says_so(self):
        self.settle()
        self.put(30)
        self.wait_sent(30)
        with self.shop.lock:
            for number in range(1, 31):
                self.shop.catalog.rename(f"P-{number:05d}", f"Q-{number:05d}")
        wait_until(lambda: len({p["sku"] for p in self.sent()}) == 60, "the other products")
        self.wait_polled()
        self.assertEqual({p["status"] for p in self.sent()}, {"ACTIVE"})
        findings = json.loads(self.stack.omsctl("doctor", "--json").stdout)["findings"]
        self.assertIn("30 whose ids have other SKUs now", [f for f in findings if f["check"] == "catalog-deletions"][0]["message"])
        held = self.stack.omsctl("catalog", "held")
        self.assertEqual(held.returncode, 0, held.stderr)
        self.assertRegex(held.stdout, r"P-00001 +1 +Product 1 +renamed to Q-00001")
        kept = self.stack.omsctl("catalog", "held", "keep", "P-00002")
        self.assertEqual(kept.returncode, 0, kept.stderr)
        applied = self.stack.omsctl("catalog", "held", "apply", "--all", "--json")
        self.assertEqual(json.loads(applied.stdout), {"deactivated": 29, "kept": 0}, applied.stderr)
        self.wait_sent(2, "P-00001")
        self.assertEqual(len(self.sent("P-00002")), 1)
        self.assertEqual(json.loads(self.stack.omsctl("catalog", "held", "--json").stdout)["held_products"], [])


class FullExport(CatalogCase):
    PRODUCTS = 9_000  # what the simulated OMS remembers is bounded

    def test_a_full_export_goes_on_after_a_kill_and_sends_every_sku(self):
        # Not seen by polling: only the export can tell of them.
        with self.shop.lock:
            self.shop.clock.move(3600)
        self.put(self.PRODUCTS)
        catalog = self.stack.processes["catalog"]
        invoke, request = self.client.stub(f"{CATALOG}/ExportFullCatalog")
        self.assertGreaterEqual(next(invoke(request(), timeout=60)).run, 1)
        wait_until(lambda: self.last_run()["read_count"] > 0, "the first batch")
        catalog.kill()
        run = self.last_run()
        self.assertLess(run["read_count"], self.PRODUCTS)
        catalog.start().wait_healthy()
        messages = self.client.call(f"{CATALOG}/ExportFullCatalog", timeout=120)
        last = messages[-1]
        self.assertEqual(last["run"], run["id"])
        self.assertEqual((last["state"], last["read"], last["exported"]), ("FULL_EXPORT_STATE_DONE", self.PRODUCTS, self.PRODUCTS))
        wait_until(lambda: len({p["sku"] for p in self.sent()}) == self.PRODUCTS, "every product", timeout_s=120)

    def last_run(self):
        path = os.path.join(self.stack.state_dir, "data", "catalog.sqlite")
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            return dict(connection.execute("SELECT * FROM catalog_run ORDER BY id DESC LIMIT 1").fetchone())


@unittest.skipUnless(os.path.isdir(LUMA), "the sample shop's catalog is not at hand")
class Luma(CatalogCase):
    FILES = ("configurable_and_simple", "gear", "bundle", "grouped", "downloadable")

    def test_the_sample_shop_comes_whole_from_its_files(self):
        rows = 0
        for name in self.FILES:
            with open(os.path.join(LUMA, f"{name}.csv"), "rb") as file:
                text = file.read()
            parts = [{"csv": base64.b64encode(text[at:at + 100_001]).decode()} for at in range(0, len(text), 100_001)]
            answer = self.client.call(f"{CATALOG}/ImportProducts", parts)
            self.assertEqual((answer.get("failed", 0), answer["read"]), (0, answer["exported"]), answer)
            rows += answer["read"]
        wait_until(lambda: len({p["sku"] for p in self.sent()}) == rows, "the sample shop")
        told = {p["sku"]: p for p in self.sent()}
        self.assertEqual(told["MH01-XS-Black"]["custom_attributes"], [
            {"name": "colour", "attribute_code": "colour", "value": "Black"},
            {"name": "weight", "attribute_code": "weight", "value": "1"}])
        self.assertEqual(len(told["MH01"]["children_skus"]), 15)
        self.assertEqual([told[sku]["type"] for sku in ("24-WG080", "24-WG085_Group", "240-LV04")],
                         ["bundle", "grouped", "downloadable"])


if __name__ == "__main__":
    unittest.main()
