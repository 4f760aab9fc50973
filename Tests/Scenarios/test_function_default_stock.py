"""Function, default stock: the shop's own quantity is ignored, aggregates are used; a website that still sells from the default
stock is reported (connector.md §2.8, magento-rules.md §4)."""

import unittest

from stock import STORES, Stock
from story import told
from world import GATEWAY, SOURCE


class DefaultStock(Stock):
    WORLD = {"stores": STORES, "mapping": "website us = US-STORE\n"}

    def shelf(self, sku, source):
        with self.world.shop.lock:
            return self.world.shop.stock.msi.quantity(source, sku)

    @told
    def test_quantity_of_the_default_source_is_neither_read_nor_written(self, story):
        sku = self.put(story)
        with self.world.shop.lock:
            self.world.shop.stock.msi.put("default", sku, 500, 1)
        self.snapshot(story, "EU-WEB", [(sku, 4)])
        story.by_and_by(lambda: self.shelf(sku, SOURCE) == 4, "the stock to be in the shop")
        self.world.settle()
        self.assertEqual((self.shelf(sku, "default"), self.known("EU-WEB", sku)), (500, 4))

    def test_website_that_still_sells_from_the_default_stock_is_reported_with_what_to_do(self):
        findings = self.world.call(f"{GATEWAY}/Diagnose").get("findings", [])
        said = [finding for finding in findings if "default" in finding["message"] and "us" in finding["message"]
                and finding["level"] != "FINDING_LEVEL_OK"]
        self.assertTrue([finding for finding in said if finding["remedy"]], findings)


if __name__ == "__main__":
    unittest.main()
