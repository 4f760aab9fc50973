"""A single row that the shop can't handle keeps nothing else from its way: it is named to the operator, and comes when it can."""

import unittest

from stock import Stock
from waiting import wait_until
from world import GATEWAY, SOURCE

MUG = {"sku": "MUG", "name": "Blue mug", "price": "10.00", "weight": "0.4"}


def part(sku):
    """The connector's partition of a SKU: FNV-1a, folded."""
    value = 0x811C9DC5
    for byte in sku.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return (value ^ value >> 16) % 16


class BrokenRows(Stock):
    PRODUCTS = [MUG]

    def told(self, check, *parts):
        """Whether the doctor names all of this in one finding."""
        return any(finding["check"] == check and all(part in finding["message"] for part in parts)
                   for finding in self.world.call(f"{GATEWAY}/Diagnose").get("findings", []))

    def test_order_that_the_shop_can_not_show_is_passed_over_and_comes_once_it_can(self):
        def story(test, telling):
            faults = test.world.shop.faults
            with test.world.shop.lock:  # the shop's orders have consecutive ids
                broken = max(test.world.shop.sales.orders, default=0) + 1
                faults.break_rows("/V1/orders", broken)
            late = telling.order({"MUG": 1}, exported=False)
            test.assertEqual(late.placed["entity_id"], broken)
            newer = telling.order({"MUG": 2}, exported=False)
            wait_until(lambda: test.told("order-polling", f"entity_id {broken}"), "the doctor to name the order", 90)
            newer.wait_until_sent()
            faults.mend_rows("/V1/orders")
            late.wait_until_sent()
            wait_until(lambda: not test.told("order-polling", f"entity_id {broken}"), "the doctor to be content")

        self.tell(story)

    def test_sku_that_the_shop_fails_to_save_keeps_no_other_back(self):
        def story(test, telling):
            faults, shop = test.world.shop.faults, test.world.shop
            # Of one partition, which are sent together.
            skus = [sku for sku in (f"MUG-{number}-{telling.name}" for number in range(400)) if part(sku) == 0][:12]
            test.world.stock_up([{"sku": sku, "price": "10"} for sku in skus], quantity=0)
            faults.break_rows("/V1/inventory/source-items", skus[0])
            test.snapshot(telling, "EU-WEB", [(sku, 6) for sku in skus])

            def shelf():
                with shop.lock:
                    return [shop.stock.msi.quantity(SOURCE, sku) for sku in skus]

            telling.by_and_by(lambda: shelf()[1:] == [6] * 11, "the others to be in the shop")
            test.assertEqual(shelf()[0], 0)
            telling.by_and_by(lambda: test.told("stock-push", skus[0], "answers 500"), "the doctor to name the SKU")
            faults.mend_rows("/V1/inventory/source-items")
            test.snapshot(telling, "EU-WEB", [(skus[0], 7)], second=2)
            telling.by_and_by(lambda: shelf()[0] == 7, "the last one to be in the shop")

        self.tell(story)


if __name__ == "__main__":
    unittest.main()
