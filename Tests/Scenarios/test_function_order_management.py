"""Function, order management: once exported an order is the OMS's. The shop's side is refused, and what was done inside the shop
all the same is found and told (connector.md §9, magento-rules.md §6)."""

import unittest

import grpc
from shop_simulator import invoicing
from story import Scenario, told
from world import SALES

CHANGES = ("HOLD", "CANCEL", "INVOICE", "SHIP", "REFUND", "RETURN", "EDIT", "STATUS")


class OrderManagement(Scenario):
    PRODUCTS = [{"sku": "MUG", "price": "10"}]

    def check(self, order, change):
        return self.world.call(f"{SALES}/CheckOrderChange", {"increment_id": order.id, "change": f"ORDER_CHANGE_{change}"})

    @told
    def test_changes_are_free_before_the_export_and_refused_after_it(self, story):
        order = story.order({"MUG": 1}, exported=False)
        for change in CHANGES:
            self.check(order, change)
        order.export()
        order.wait_until_sent()
        order.created()
        story.then(order, exported="ACCEPTED")
        story.pause()
        self.world.settle()  # what the connector does itself right now would be let through
        for change in CHANGES[:5] + CHANGES[6:]:  # a return is asked for in the shop
            with self.assertRaises(grpc.RpcError, msg=change) as refused:
                self.check(order, change)
            self.assertEqual(refused.exception.code(), grpc.StatusCode.FAILED_PRECONDITION)
            self.assertIn("OMS", refused.exception.details())
        story.ends(order, exported="ACCEPTED")

    @told
    def test_cancel_and_comment_are_asked_of_the_oms_which_decides(self, story):
        order = story.order({"MUG": 2})
        order.created()
        story.then(order, exported="ACCEPTED")
        story.pause()
        known = {"sales_channel_id": "EU-STORE", "order_id": order.id, "user": "ann"}
        self.world.call(f"{SALES}/CommentOrder", {
            "increment_id": order.id, "comment": "call first", "user": "ann", "request_id": f"c-{story.name}"})
        self.world.call(f"{SALES}/CancelOrder", {
            "increment_id": order.id, "line_number": 2, "reason": "CUSTOMERREQ", "user": "ann"})
        self.world.call(f"{SALES}/CancelOrder", {"increment_id": order.id, "user": "ann"})
        prefix, of_order = "magento.sales.order_management.", lambda params: params.get("order_id") == order.id
        [comment] = self.world.oms.received.wait(prefix + "create_comment", lambda p: p["order_comment"]["order_id"] == order.id)
        said = comment["params"]["order_comment"]
        self.assertEqual({**said, "created_date": "a date" if said["created_date"] else ""},
                         {**known, "comment": "call first", "created_date": "a date"})
        [line] = self.world.oms.received.wait(prefix + "cancel_line", of_order)
        self.assertEqual(line["params"], {**known, "line_number": 2, "reason": "CUSTOMERREQ"})
        [whole] = self.world.oms.received.wait(prefix + "cancel", of_order)
        self.assertEqual(whole["params"], known)
        self.assertEqual(order.facts(["state"])["state"], "new", "nothing changes before the OMS says so")
        order.says(order.life.cancelled())
        story.ends(order, state="canceled")

    @told
    def test_invoice_that_somebody_makes_in_the_shop_is_found_and_told(self, story):
        order = story.order({"MUG": 2})
        order.created()
        story.then(order, exported="ACCEPTED")
        story.pause()
        with self.world.shop.lock:
            item = order.item("MUG")["item_id"]
            # Not in the second of the export, before which the shop was free to do so.
            with self.world.shop.clock.at(self.world.shop.clock.now() + 2):
                invoicing.request(self.world.shop.sales.order(order.entity_id), [{"order_item_id": item, "qty": 1}], False)
        story.ends(order, attention=True, reason=lambda reason: "invoice" in reason)


if __name__ == "__main__":
    unittest.main()
