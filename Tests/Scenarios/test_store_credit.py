"""Feature 9, store credit: paid with it is a discount with an attribute; given back it is by a companion's route where there is
one, else by an operator (connector.md §2.9, magento-rules.md §6)."""

import json
import unittest
from decimal import Decimal

from story import Scenario, told
from world import POST_SALES


class StoreCredit(Scenario):
    PRODUCTS = [{"sku": "MUG", "price": "10"}]

    def buys(self, story, **asked):
        order = story.order({"MUG": 2}, customer={"id": 5, "email": "roni@example.com"}, **asked)
        sent = order.wait_until_sent()
        found = {each["name"]: each["value"] for each in sent.get("custom_attributes") or ()}
        return order, sent, found

    @told
    def test_balance_that_paid_is_a_discount_with_an_attribute(self, story):
        order, sent, attributes = self.buys(story, customer_balance="8", payment="gateway")
        self.assertEqual([line["amount"]["gross_amount"] for line in sent["lines"]], [10, 10, 5])
        self.assertEqual(sent["payments"][0]["transactions"][0]["amount"], 17)
        self.assertEqual(Decimal(attributes["customer_balance_amount"]), 8)
        order.created()
        order.ships()
        order.updated("COMPLETE", "FULLYSHIPPED")
        story.ends(order, shipments=1, state="complete", total_paid=17, attention=False)

    @told
    def test_reward_points_that_paid_are_a_discount_with_two_attributes(self, story):
        order, sent, attributes = self.buys(story, reward={"points": 300, "amount": "3"})
        self.assertEqual(sent["payments"][0]["transactions"][0]["amount"], 22)
        self.assertEqual((Decimal(attributes["reward_currency_amount"]), Decimal(attributes["reward_points_balance"])), (3, 300))
        order.created()
        story.ends(order, exported="ACCEPTED")

    @told
    def test_credit_that_nobody_can_give_by_machine_is_an_operators_task_with_its_amount(self, story):
        order, _, _ = self.buys(story, customer_balance="8", payment="gateway")
        order.created()
        order.ships()
        order.updated("COMPLETE", "FULLYSHIPPED")
        story.ends(order, shipments=1, total_paid=17)
        note = order.refunds({1: None, 2: None, 3: None})["credit_note_number"]
        story.ends(order, total_refunded=17)

        def stuck():
            refund = self.world.call(f"{POST_SALES}/GetRefund", {"credit_note_number": note})["refund"]
            return refund if refund["state"] == "REFUND_STATE_STUCK" else None

        self.assertIn("8", story.by_and_by(stuck, "the credit to be an operator's case")["reason"])


class WithACompanion(Scenario):
    """A module of the shop has a route that credits a customer."""

    ROUTE = "/V1/companion/balance"
    WORLD = {"shop": {"companion_routes": {f"POST {ROUTE}": True}}, "post_sales_store_credit_route": ROUTE}
    PRODUCTS = [{"sku": "MUG", "price": "10"}]

    def credits(self, order):
        """What the shop was asked to credit for that order, each reference once."""
        found = {}
        for request in self.world.shop.requests.all():
            if request.verb == "POST" and self.ROUTE in request.path:
                asked = json.loads(request.body)
                if asked["increment_id"] == order.id:
                    found[asked["reference"]] = asked
        return list(found.values())

    @told
    def test_credit_is_given_back_once_all_of_the_money_is(self, story):
        story.depends_on_order("creditmemos")  # which of the two has the shipping, and how much of the balance
        order = story.order({"MUG": 2}, customer={"id": 5, "email": "roni@example.com"}, customer_balance="8", payment="gateway")
        order.created()
        order.ships()
        order.updated("COMPLETE", "FULLYSHIPPED")
        story.ends(order, shipments=1, total_paid=17)
        order.refunds({1: None})
        story.then(order, total_refunded=10)
        if not story.is_swapped:
            self.assertEqual(self.credits(order), [])
        order.refunds({2: None, 3: None})
        story.ends(order, total_refunded=17)
        story.by_and_by(lambda: self.credits(order), "the credit to be given back")
        story.keeps("credits", lambda: [(each["customer_id"], float(each["amount"])) for each in self.credits(order)])
        self.assertEqual([(each["customer_id"], float(each["amount"])) for each in self.credits(order)], [(5, 8.0)])


if __name__ == "__main__":
    unittest.main()
