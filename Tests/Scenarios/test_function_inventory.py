"""Function, inventory: quantities and stock status belong to the OMS; the shop's side can't set them unless the connector runs in
developer mode, and what is changed in the shop itself is found and told (connector.md §9)."""

import unittest

import grpc
from stock import Stock
from story import told
from world import INVENTORY, SOURCE


class Inventory(Stock):
    def shelf(self, sku):
        with self.world.shop.lock:
            return self.world.shop.stock.msi.quantity(SOURCE, sku)

    @told
    def test_quantity_can_not_be_set_from_the_shops_side(self, story):
        sku = self.put(story)
        self.snapshot(story, "EU-WEB", [(sku, 6)])
        story.by_and_by(lambda: self.shelf(sku) == 6, "the stock to be in the shop")
        with self.assertRaises(grpc.RpcError) as refused:
            self.world.call(f"{INVENTORY}/SetStock", {"aggregate_id": "EU-WEB", "sku": sku, "quantity": 50})
        self.assertEqual(refused.exception.code(), grpc.StatusCode.FAILED_PRECONDITION)
        self.assertIn("OMS", refused.exception.details())
        self.assertEqual((self.known("EU-WEB", sku), self.shelf(sku)), (6, 6))

    @told
    def test_quantity_that_somebody_changes_in_the_shop_is_put_right_by_a_push(self, story):
        sku = self.put(story)
        self.snapshot(story, "EU-WEB", [(sku, 6)])
        story.by_and_by(lambda: self.shelf(sku) == 6, "the stock to be in the shop")
        with self.world.shop.lock:
            self.world.shop.stock.msi.put(SOURCE, sku, 99, 1)
        story.both(lambda: self.world.call(f"{INVENTORY}/PushStock", {"skus": [sku]}))
        story.by_and_by(lambda: self.shelf(sku) == 6, "the OMS's quantity to be back")
        story.keeps("shelf", lambda: self.shelf(sku))


if __name__ == "__main__":
    unittest.main()
