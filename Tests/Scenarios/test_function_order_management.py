"""Function, order management: once exported an order is the OMS's. The shop's side is refused, and what was done inside the shop
all the same is found and told (connector.md §9, magento-rules.md §6)."""

import unittest

import grpc
from shop_simulator import invoicing
from shop_simulator.control import Control
from shop_simulator.outgoing import CANCEL, HOLD, INVOICE, MEMO, SHIPMENT
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
    def test_order_that_is_rejected_for_fraud_is_cancelled(self, story):
        order = story.order({"MUG": 2})
        order.created()
        order.updated("REJECTED", "ANALYSTPOSFRAUD")
        story.ends(order, state="canceled", oms_status="REJECTED", invoices=0, shipments=0, total_canceled=25)

    @told
    def test_order_that_the_oms_can_not_import_is_kept_and_has_failed(self, story):
        order = story.order({"MUG": 1})
        order.updated("ERROR", "IMPORTFAIL")
        failed = "OMS: export failed, the OMS could not import it: ERROR (IMPORTFAIL)"
        story.ends(order, exported="FAILED", attention=True, state="new", 
                   comments=lambda said: any(each.startswith(failed) for each in said))

    @told
    def test_another_address_is_said_on_the_order(self, story):
        order = story.order({"MUG": 1})
        order.created()
        order.says(order.life.address_updated(city="Rome"))
        story.ends(order, exported="ACCEPTED", comments=lambda said: any("Rome" in each for each in said))

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


class BlockedInTheShop(Scenario):
    """Adobe Commerce asks before it does anything: what people do is stopped, what the connector does is not."""

    PRODUCTS = [{"sku": "MUG", "price": "10"}]

    @told
    def test_webhooks_stop_people_and_let_the_connector_work(self, story):
        change = {INVOICE: "invoice", SHIPMENT: "ship", MEMO: "refund", CANCEL: "cancel", HOLD: "hold"}
        url = f"http://{self.world.stack.http}/webhooks/orders"
        with self.world.shop.lock:
            self.world.shop.settings.change(webhooks=[
                {"event": event, "url": f"{url}/{name}", "required": True} for event, name in change.items()])
        control = Control(self.world.shop, "127.0.0.1:0")
        self.addCleanup(control.close)
        order = story.order({"MUG": 2})
        order.created()
        story.then(order, exported="ACCEPTED")
        story.pause()
        self.world.settle()
        for action in ("cancel", "hold"):
            with self.assertRaisesRegex(ValueError, "belongs to the OMS", msg=action):
                control.post(f"/{action}", {"increment_id": order.id})
        order.ships({"MUG": 2})
        story.ends(order, state="complete")


if __name__ == "__main__":
    unittest.main()
