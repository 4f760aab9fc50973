"""A shop of version 2.2, which has no multi-source inventory, keeps quantities of its own and answers otherwise in places
(magento-rules.md): catalog, stock and orders go the same ways."""

import unittest

from story import Scenario, told

UPDATED = "magento.catalog.product_management.updated"


class Shop22(Scenario):
    WORLD = {"shop": {"version": "2.2", "msi": False}}
    PRODUCTS = [{"sku": "MUG", "price": "10", "stock": {"qty": 1000}}, {"sku": "CAP", "price": "7", "stock": {"qty": 1000}}]

    @told
    def test_a_product_and_an_order_of_it_go_all_the_way(self, story):
        sku = f"CUP-{story.name}"
        with self.world.shop.lock:
            self.world.shop.catalog.put({"sku": sku, "price": "3", "stock": {"qty": 1000}})
        story.both(lambda: self.world.export([sku]))
        order = story.order({sku: 1, "MUG": 3, "CAP": 1})
        self.world.oms.received.wait(UPDATED, lambda params: params["product"]["sku"] == sku)
        order.created()
        story.then(order, exported="ACCEPTED", invoices=0)
        order.ships({sku: 1, "MUG": 2})
        order.ships({"MUG": 1, "CAP": 1})
        order.updated("COMPLETE", "FULLYSHIPPED")
        story.ends(order, shipments=2, state="complete", total_invoiced=45, attention=False)


if __name__ == "__main__":
    unittest.main()
