"""Function, returns and refunds: they are made in the OMS; of the shop only the wish comes. A credit memo that somebody makes
there is found and told (connector.md §9)."""

import unittest

import grpc
from shop_simulator import refunding
from story import Scenario, told
from world import SALES


class ReturnsAndRefunds(Scenario):
    PRODUCTS = [{"sku": "MUG", "price": "10"}]

    def shipped(self, story):
        order = story.order({"MUG": 2})
        order.created()
        order.ships()
        order.updated("COMPLETE", "FULLYSHIPPED")
        story.ends(order, shipments=1, invoices=1, state="complete")
        return order

    @told
    def test_refund_is_refused_and_a_wish_for_a_return_is_not(self, story):
        order = self.shipped(story)
        request = {"increment_id": order.id, "change": "ORDER_CHANGE_REFUND"}
        with self.assertRaises(grpc.RpcError) as refused:
            self.world.call(f"{SALES}/CheckOrderChange", request)
        self.assertEqual(refused.exception.code(), grpc.StatusCode.FAILED_PRECONDITION)
        self.assertIn("OMS", refused.exception.details())

    @told
    def test_credit_memo_that_somebody_makes_in_the_shop_is_found_and_told(self, story):
        order = self.shipped(story)
        with self.world.shop.lock:
            with self.world.shop.clock.at(self.world.shop.clock.now() + 2):
                refunding.request(self.world.shop.sales.order(order.entity_id), {
                    "items": [{"order_item_id": order.item("MUG")["item_id"], "qty": 1}], "arguments": {"shipping_amount": 0}})
        story.ends(order, attention=True, reason=lambda reason: "creditmemo" in reason or "credit memo" in reason)


if __name__ == "__main__":
    unittest.main()
