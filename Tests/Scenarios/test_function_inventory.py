"""Function, inventory: quantities and stock status belong to the OMS; the shop's side can't set them unless the connector runs in
developer mode, and what is changed in the shop itself is found and told (connector.md §9)."""

import unittest

import grpc
from stock import Stock
from story import told
from world import GATEWAY, INVENTORY, SOURCE


class Inventory(Stock):
    WORLD = {"inventory_shop_check_interval": "500ms"}

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
    def test_quantity_that_somebody_changes_in_the_shop_is_found_told_and_put_back(self, story):
        sku = self.put(story)
        self.snapshot(story, "EU-WEB", [(sku, 6)])
        story.by_and_by(lambda: self.shelf(sku) == 6, "the stock to be in the shop")
        other = self.put(story, quantity=3)
        with self.world.shop.lock:
            self.world.shop.stock.msi.put(SOURCE, sku, 99, 1)
            self.world.shop.stock.msi.put(SOURCE, other, 5, 1)  # the OMS has never said anything of it
        story.by_and_by(lambda: self.shelf(sku) == 6, "the OMS's quantity to be back")
        found = story.by_and_by(lambda: self.found(sku), "the doctor to tell of it")
        self.assertIn(f"{sku} (99 in place of 6)", found["message"])
        self.assertIn("FINDING_LEVEL_WARNING", found["level"])
        self.assertFalse(self.found(other))
        self.assertEqual(self.shelf(other), 5)
        story.keeps("shelf", lambda: self.shelf(sku))

    @told
    def test_what_the_shop_ships_is_no_change_by_somebody(self, story):
        sku = self.put(story, quantity=6)
        self.snapshot(story, "EU-WEB", [(sku, 6)])
        story.by_and_by(lambda: self.shelf(sku) == 6, "the stock to be in the shop")
        order = story.order({sku: 2})
        order.created()
        self.snapshot(story, "EU-WEB", [(sku, 4)], second=2)
        order.ships({sku: 2})
        story.ends(order, shipments=1, state="complete")
        story.by_and_by(lambda: self.shelf(sku) == 4, "the shipment to have left the shelf")
        self.assertFalse(self.found(sku))

    def found(self, sku):
        """What the doctor says of stock that was changed in the shop, when it names the SKU."""
        findings = self.world.call(f"{GATEWAY}/Diagnose").get("findings", [])
        return next((finding for finding in findings
                     if finding["check"] == "stock-changed-in-shop" and sku in finding["message"]), None)


if __name__ == "__main__":
    unittest.main()
