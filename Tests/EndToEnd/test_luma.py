"""Magento's sample shop: its simple SKUs through the bus and back."""

import csv
import os
import unittest

from bus import BusCase
from stack import ROOT

CATALOG = os.path.join(os.path.dirname(ROOT), "shared", "data", "luma", "configurable_and_simple.csv")


@unittest.skipUnless(os.path.exists(CATALOG), "the sample shop's catalog is not at hand")
class Luma(BusCase):
    def test_all_1847_simple_skus_go_through_the_bus_in_parts_and_are_read_back(self):
        with open(CATALOG, newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["product_type"] == "simple"]
        # Not all the same quantity, or a mix-up of rows would not show.
        stock = {row["sku"]: n for n, row in enumerate(rows)}
        self.assertEqual(len(stock), 1847)
        created = "2024-02-03T04:05:06+00:00"
        sent = self.oms.publish_stock("LUMA", "FULL", created, [(sku, str(n)) for sku, n in stock.items()], parts=4)
        self.assertEqual([(d.delivered, d.result["applied"] > 0) for d in sent], [(True, True)] * 4)
        self.assertEqual(sum(d.result["applied"] for d in sent), 1847)
        self.assertEqual(self.quantities("LUMA"), stock)


if __name__ == "__main__":
    unittest.main()
