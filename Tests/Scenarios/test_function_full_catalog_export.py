"""Function, full catalog export: everything that the shop has goes to the OMS, changed or not, in the order of a run that can be
watched; what the shop has no more becomes INACTIVE (connector.md §3)."""

import unittest

from story import Scenario, told
from world import CATALOG, SOURCE

UPDATED = "magento.catalog.product_management.updated"


class FullCatalogExport(Scenario):
    COUNT = 450  # more than a page

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.world.shop.lock:
            for n in range(cls.COUNT):
                cls.world.shop.catalog.put({"sku": f"P-{n:04d}", "price": "1"})
        cls.runs = cls.world.call(f"{CATALOG}/ExportFullCatalog", timeout=120)

    def sent(self):
        products = {}
        for message in self.world.oms.received.all(UPDATED):
            products.setdefault(message["params"]["product"]["sku"], []).append(message["params"]["product"]["status"])
        return products

    def test_1_every_product_arrives_and_the_run_says_so(self):
        last = self.runs[-1]
        self.assertEqual((last["state"], last["read"], last["total"], last["exported"]),
                         ("FULL_EXPORT_STATE_DONE", self.COUNT, self.COUNT, self.COUNT))
        self.world.settle()
        sent = self.sent()
        self.assertEqual([sku for sku in (f"P-{n:04d}" for n in range(self.COUNT)) if sku not in sent], [])

    def test_2_another_run_sends_all_of_it_again_and_what_has_gone_is_inactive(self):
        self.world.settle()
        before = {sku: len(statuses) for sku, statuses in self.sent().items()}
        with self.world.shop.lock:
            self.world.shop.catalog.delete("P-0007")
        shown = self.world.stack.omsctl("catalog", "export", "--full")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.world.settle()
        sent = self.sent()
        self.assertEqual(sent["P-0007"][-1], "INACTIVE")
        unsent = [sku for sku, statuses in sent.items() if sku.startswith("P-") and len(statuses) <= before[sku]]
        self.assertEqual(unsent, [])

    @told
    def test_3_a_run_that_is_asked_for_once_more_leaves_the_oms_with_the_same_products(self, story):
        sku = f"N-{story.name}"
        self.world.stock_up([{"sku": f"{sku}-OLD", "price": "2"}])
        with self.world.shop.lock:
            self.world.shop.catalog.put({"sku": sku, "price": "2"})
            self.world.shop.stock.msi.put(SOURCE, sku, 10, 1)
            self.world.shop.catalog.delete(f"{sku}-OLD")
        story.both(lambda: self.world.call(f"{CATALOG}/ExportFullCatalog", timeout=120))
        # An order between the run's messages goes its own way and finds its product there.
        order = story.order({sku: 1})
        order.created()
        order.ships()
        order.updated("COMPLETE", "FULLYSHIPPED")
        story.ends(order, exported="ACCEPTED", shipments=1, state="complete", attention=False)
        story.keeps("products", lambda: {
            name: statuses[-1] for name, statuses in self.sent().items() if name.startswith(sku)})


if __name__ == "__main__":
    unittest.main()
