"""Function, default stock: the shop's own quantity is ignored, aggregates are used; a website that still sells from the default
stock is reported (connector.md §2.8, magento-rules.md §4)."""

import unittest

from stock import STORES, Stock
from story import told
from world import SOURCE


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


if __name__ == "__main__":
    unittest.main()
