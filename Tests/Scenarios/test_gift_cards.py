"""Feature 5, gift cards: one that was used is a discount to the OMS, in an attribute without its code; its part of the money comes
back as store credit, and only when all else has been refunded (connector.md §2.5)."""

import json
import unittest
from decimal import Decimal

from story import Scenario, told
from wire import ANY, attribute, differences, untaxed
from world import POST_SALES

CODE = "GIFT-SECRET-4711"


def attributes(order):
    return {each["name"]: each["value"] for each in order.wait_until_sent().get("custom_attributes") or ()}


class GiftCards(Scenario):
    PRODUCTS = [{"sku": "MUG", "price": "10"},
                {"sku": "CARD", "type": "giftcard", "price": "25", "attributes": {"giftcard_type": "0"},
                 "stock": {"manage_stock": False}},
                {"sku": "CARD-BOX", "type": "giftcard", "price": "25", "attributes": {"giftcard_type": "1"},
                 "stock": {"qty": 100, "manage_stock": False}}]

    def refund(self, note):
        return self.world.call(f"{POST_SALES}/GetRefund", {"credit_note_number": note})["refund"]

    @told
    def test_lines_keep_their_price_and_the_attribute_says_what_the_card_paid(self, story):
        order = story.order({"MUG": 2}, gift_cards=[{"code": CODE, "amount": "10"}], payment="gateway")
        sent = order.wait_until_sent()
        self.assertEqual([line["amount"]["gross_amount"] for line in sent["lines"]], [10, 10, 5])
        self.assertEqual(sent["payments"][0]["transactions"][0]["amount"], 15)
        self.assertEqual(json.loads(attributes(order)["gift_cards"], parse_float=Decimal),
                         [{"id": 1, "code_last4": "4711", "amount": 10, "base_amount": 10}])
        self.assertEqual(Decimal(attributes(order)["gift_cards_amount"]), 10)
        self.assertEqual({each["name"] for each in sent["custom_attributes"]},
                         {each["attribute_code"] for each in sent["custom_attributes"]}, "under both spellings")
        everything = json.dumps([message["params"] for message in self.world.oms.received.all()])
        self.assertNotIn(CODE, everything)
        self.assertEqual(self.world.rows("gateway", "SELECT count(*) FROM journal WHERE instr(body, ?) > 0", CODE), [(0,)])
        order.created()
        order.ships()
        order.updated("COMPLETE", "FULLYSHIPPED")
        story.ends(order, shipments=1, state="complete", total_paid=15, attention=False)

    @told
    def test_order_that_a_card_pays_whole_is_a_zero_payment(self, story):
        order = story.order({"MUG": 1}, gift_cards=[{"code": CODE, "amount": "15"}], payment="free")
        transaction = order.wait_until_sent()["payments"][0]["transactions"][0]
        self.assertEqual(differences(
            {"payment_method": "ZEROPAY", "payment_submethod": "ZEROPAY", "amount": 0, "billing_address_reference": ANY,
             "gateway_information": {"gateway_id": "OFFLINE", "authorization_status": "AUTHORIZED",
                                     "custom_attributes": [attribute("mdc_gateway_processor", "free")]}}, transaction), [])
        order.created()
        order.ships()
        order.updated("COMPLETE", "FULLYSHIPPED")
        story.ends(order, shipments=1, invoices=1, state="complete", total_paid=0, attention=False)

    @told
    def test_part_of_the_goods_brings_back_money_only(self, story):
        order = story.order({"MUG": 3}, gift_cards=[{"code": CODE, "amount": "10"}], payment="gateway",
                            customer={"id": 5, "email": "roni@example.com"})
        order.created()
        order.ships()
        order.updated("COMPLETE", "FULLYSHIPPED")
        story.ends(order, shipments=1, total_paid=25)
        refund = order.refunds({1: None})
        story.ends(order, total_refunded=10, creditmemos=lambda count: count >= 1)
        story.by_and_by(lambda: self.refund(refund["credit_note_number"])["state"] == "REFUND_STATE_DONE", "the refund to be done")

    @told
    def test_all_of_the_goods_bring_back_the_money_and_the_cards_part_is_the_operators(self, story):
        order = story.order({"MUG": 2}, gift_cards=[{"code": CODE, "amount": "10"}], payment="gateway",
                            customer={"id": 5, "email": "roni@example.com"})
        order.created()
        order.ships()
        order.updated("COMPLETE", "FULLYSHIPPED")
        story.ends(order, shipments=1, total_paid=15)
        note = order.refunds({1: None, 2: None, 3: None})["credit_note_number"]
        story.ends(order, total_refunded=15)
        stuck = story.by_and_by(lambda: self.refund(note)["state"] == "REFUND_STATE_STUCK" and self.refund(note),
                                "the store credit to be an operator's case")
        self.assertIn("10", stuck["reason"])
        settled = story.both(lambda: self.world.call(f"{POST_SALES}/SettleRefund", {
            "credit_note_number": note, "note": "credited 10 by hand"})["refund"])
        self.assertEqual(settled["state"], "REFUND_STATE_DONE")

    @told
    def test_cards_that_are_bought_are_virtual_unless_they_are_sent(self, story):
        order = story.order([{"sku": "CARD"}, {"sku": "CARD-BOX"}])
        self.assertEqual([(line["sku"], line["product_type"]) for line in order.wait_until_sent()["lines"]],
                         [("CARD", "VIRTUAL"), ("CARD-BOX", "PHYSICAL"), ("STANDARD", "SHIPPING")])
        self.assertEqual(differences(untaxed(25), order.wait_until_sent()["lines"][0]["amount"]), [])
        order.created()
        order.ships()
        order.updated("COMPLETE", "FULLYSHIPPED")
        story.ends(order, shipments=1, state="complete", total_invoiced=55)


if __name__ == "__main__":
    unittest.main()
