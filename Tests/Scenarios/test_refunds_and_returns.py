"""Feature 10, refunds and returns: asked for in the shop, decided by the OMS, carried out in the shop, once; nothing goes back on
the shelf (connector.md §2.10)."""

import unittest

import grpc
from shop_simulator import returns
from story import Scenario, told
from wire import differences
from world import POST_SALES, SOURCE

AUTHORIZE = "magento.postsales.return_management.authorize"
REFUSED = "magento.common.error_management.created"


def known_return(world, rma):
    """What the connector knows of a return; {} before it does."""
    try:
        return world.call(f"{POST_SALES}/GetReturn", {"rma": rma})["return"]
    except grpc.RpcError:
        return {}


class RefundsAndReturns(Scenario):
    PRODUCTS = [{"sku": "MUG", "price": "10"}, {"sku": "CAP", "price": "7"}]

    def shipped(self, story, lines=None, **asked):
        order = story.order(lines or {"MUG": 2, "CAP": 1}, **asked)
        order.created()
        order.ships()
        order.updated("COMPLETE", "FULLYSHIPPED")
        story.ends(order, shipments=1, invoices=1, state="complete")
        return order

    def refund(self, note):
        try:
            return self.world.call(f"{POST_SALES}/GetRefund", {"credit_note_number": note})["refund"]
        except grpc.RpcError:
            return {"state": "unknown"}  # nobody has said it yet

    def shelf(self, sku):
        with self.world.shop.lock:
            return self.world.shop.stock.msi.quantity(SOURCE, sku)

    def asks_for_return(self, order, sku="MUG", quantity=1):
        with self.world.shop.lock:
            return returns.create(self.world.shop, {"order_id": order.entity_id, "items": [
                {"order_item_id": order.item(sku)["item_id"], "qty_requested": quantity, "reason": 2, "condition": 5,
                 "resolution": 8}]})["entity_id"]

    # Returns

    @told
    def test_return_from_the_shop_is_authorised_by_the_oms_and_refunded(self, story):
        order = self.shipped(story, payment="gateway")
        before = self.shelf("MUG")
        entity = self.asks_for_return(order)
        story.both(lambda: self.world.call(f"{POST_SALES}/AuthorizeReturn", {"entity_id": entity}))
        [message] = self.world.oms.received.wait(AUTHORIZE, lambda params: params["return"]["order_id"] == order.id)
        asked = message["params"]["return"]
        self.assertEqual(asked["sales_channel_id"], "EU-STORE")
        for key in ("source_id", "return_tracking_number", "return_tracking_url", "return_tracking_label_url",
                    "return_tracking_carrier"):
            self.assertIn(key, asked, "the stand-in reads it unconditionally")
        [line] = asked["lines"]
        self.assertEqual((line["id"], line["sku"]), (str(order.item("MUG")["item_id"]), "MUG"))
        self.assertIn(line["line_number"], (1, 2))
        self.assertTrue(line["reason"] and line["reason_description"])
        returned = [line["line_number"]]
        rma = order.returns(returned, "REQUESTED")["rma"]
        order.returns(returned, "APPROVED", rma=rma)
        order.refunds({returned[0]: None}, rma=rma)
        story.ends(order, returns=1, creditmemos=1, total_refunded=10)
        story.by_and_by(lambda: order.seen()["returns"][0]["items"][0]["status"] == "approved", "the return to be approved")
        self.assertEqual(self.shelf("MUG"), before, "nothing goes back on the shelf")
        known = story.by_and_by(lambda: known_return(self.world, rma).get("state") == "RETURN_STATE_ENDED"
                                and known_return(self.world, rma), "the return to have ended")
        self.assertEqual((known["entity_id"], known.get("blind", False)), (entity, False))

    @told
    def test_return_that_the_oms_refuses_is_an_operators_and_asked_for_anew(self, story):
        order = self.shipped(story)
        entity = self.asks_for_return(order)
        story.both(lambda: self.world.call(f"{POST_SALES}/AuthorizeReturn", {"entity_id": entity}))

        def asked():
            return self.world.oms.received.all(AUTHORIZE, lambda params: params["return"]["order_id"] == order.id)

        def known():
            return self.world.call(f"{POST_SALES}/GetReturn", {"entity_id": entity})["return"]

        first = story.by_and_by(asked, "the OMS to be asked")[0]["id"]
        story.says((REFUSED, {"topic": AUTHORIZE, "message": "unknown reason", "delivery_id": first, "payload": {}}))
        story.by_and_by(lambda: known().get("needs_attention"), "the return to be an operator's")
        self.assertIn("unknown reason", known()["reason"])
        story.both(lambda: self.world.call(f"{POST_SALES}/ResumeReturn", {"entity_id": entity}))
        story.by_and_by(lambda: {message["id"] for message in asked()} - {first}, "the OMS to be asked anew")
        order.returns([asked()[-1]["params"]["return"]["lines"][0]["line_number"]], "APPROVED")
        story.ends(order, returns=1)
        story.by_and_by(lambda: known().get("rma") and not known().get("needs_attention"), "the OMS's answer to be known")

    @told
    def test_return_that_nobody_asked_for_in_the_shop_is_made_there(self, story):
        order = self.shipped(story)
        rma = order.returns([1, 3], head={"return_tracking_number": "R-1", "return_tracking_carrier": "DHL"})["rma"]
        story.ends(order, returns=1)
        [made] = order.seen()["returns"]
        self.assertEqual(sorted(item["product_sku"] for item in made["items"]), ["CAP", "MUG"])
        story.by_and_by(lambda: [track["track_number"] for track in order.seen()["returns"][0]["tracks"]] == ["R-1"],
                        "the return to have its parcel")
        known = story.by_and_by(lambda: known_return(self.world, rma).get("entity_id") and known_return(self.world, rma),
                                "the return to be noted")
        self.assertEqual((known["entity_id"], known["blind"]), (made["entity_id"], True))

    # Refunds

    @told
    def test_whole_units_are_refunded_as_units_and_money_that_a_gateway_took_goes_back_there(self, story):
        order = self.shipped(story, payment="gateway")
        note = order.refunds({1: None, 3: None})["credit_note_number"]
        story.ends(order, creditmemos=1, total_refunded=17, state="complete")
        self.assertEqual(order.documents()["creditmemos"], [
            {"items": {"MUG": "1", "CAP": "1"}, "total": "17", "shipping": "0", "adjustment": "0", "online": True}])
        refund = story.by_and_by(lambda: self.refund(note)["state"] == "REFUND_STATE_DONE" and self.refund(note),
                                 "the refund to be done")
        self.assertEqual((refund["state"], refund["increment_id"], float(refund["amount"]["value"])),
                         ("REFUND_STATE_DONE", order.id, 17))

    @told
    def test_money_that_came_by_cheque_is_refunded_offline(self, story):
        order = self.shipped(story)
        order.refunds({2: None})
        story.ends(order, creditmemos=1, total_refunded=10)
        self.assertEqual(order.documents()["creditmemos"], [
            {"items": {"MUG": "1"}, "total": "10", "shipping": "0", "adjustment": "0", "online": False}])

    @told
    def test_refund_is_made_when_it_is_released_and_not_before(self, story):
        order = self.shipped(story)
        note = order.refunds({1: None}, code="PENDINGRELEASE")["credit_note_number"]
        if not story.is_repeated:
            story.then((lambda: self.refund(note)["state"] == "REFUND_STATE_PENDING", "the refund to be known"))
        order.refunds({1: None}, note=note)
        story.ends(order, creditmemos=1, total_refunded=10)

    @told
    def test_appeasement_is_money_without_goods(self, story):
        order = self.shipped(story)
        order.refunds({1: "2.50"}, refund_type="appeasement")
        story.then(order, creditmemos=1)
        order.refunds({3: "1"}, refund_type="APPEASEMENT")
        story.ends(order, creditmemos=2, total_refunded=3.5)
        self.assertEqual([(each["items"], each["adjustment"]) for each in order.documents()["creditmemos"]],
                         [({}, "1"), ({}, "2.5")])

    @told
    def test_shipping_is_refunded_as_shipping(self, story):
        order = self.shipped(story)
        order.refunds({1: None, 4: None})
        story.ends(order, creditmemos=1, total_refunded=15, shipping_refunded=5)

    @told
    def test_refunds_of_all_that_was_sold_close_the_order(self, story):
        order = self.shipped(story, payment="gateway")
        order.refunds({1: None})
        story.then(order, creditmemos=1)
        order.refunds({2: None, 3: None, 4: None})
        story.ends(order, creditmemos=2, total_refunded=32, state="closed")

    @told
    def test_refund_of_units_of_two_invoices_is_a_memo_for_each(self, story):
        order = story.order({"MUG": 2}, payment="gateway")
        order.created()
        order.ships({"MUG": 1})
        story.then(order, shipments=1)
        order.ships({"MUG": 1})
        order.updated("COMPLETE", "FULLYSHIPPED")
        story.ends(order, shipments=2, invoices=2)
        order.refunds({1: None, 2: None})
        story.ends(order, creditmemos=2, total_refunded=20)

    @told
    def test_cancellation_after_the_capture_comes_as_a_refund(self, story):
        order = story.order({"MUG": 1, "CAP": 1}, payment="gateway_sale")
        order.created()
        order.ships({"MUG": 1})
        story.then(order, shipments=1)
        order.says(order.life.cancelled(order.life.numbers("CAP"), "COMPLETE", "PARTIALLYSHIPPED"))
        order.refunds({2: None}, refund_type="CANCELLED")
        story.ends(order, shipments=1, creditmemos=1, total_refunded=7, state="complete", attention=False)

    @told
    def test_foreign_currency_is_refunded_in_the_shops_own(self, story):
        order = self.shipped(story, {"MUG": 1}, currency="USD", base_currency="EUR", rate="1.1")
        self.assertEqual(differences(11, order.wait_until_sent()["lines"][0]["amount"]["gross_amount"]), [])
        order.refunds({1: "5.50"}, refund_type="appeasement")
        story.ends(order, creditmemos=1, total_refunded=5.5, base_total_refunded=5)

    @told
    def test_refund_that_comes_right_after_its_shipment_leaves_the_shipment_whole(self, story):
        """A refund between invoice and shipment takes units from the shipment (magento-rules.md §2, quantity to ship)."""
        order = story.order({"MUG": 2}, payment="gateway")
        order.created()
        order.ships()
        order.refunds({1: None})
        story.ends(order, shipments=1, creditmemos=1, total_refunded=10)
        self.assertEqual(order.item("MUG")["qty_shipped"], 2)


class WithoutReturns(Scenario):
    """Open Source has no returns: they are known, and nothing of them is in the shop."""

    WORLD = {"shop": {"rma": False, "commerce": False}}
    PRODUCTS = [{"sku": "MUG", "price": "10"}]

    @told
    def test_return_is_known_and_its_refund_made(self, story):
        order = story.order({"MUG": 1})
        order.created()
        order.ships()
        order.updated("COMPLETE", "FULLYSHIPPED")
        story.ends(order, shipments=1, invoices=1)
        rma = order.returns([1])["rma"]
        order.refunds({1: None}, rma=rma)
        story.ends(order, creditmemos=1, total_refunded=10, returns=0)
        story.by_and_by(lambda: known_return(self.world, rma).get("increment_id") == order.id, "the return to be known")


if __name__ == "__main__":
    unittest.main()
