"""Between the shop's commit and ours everything may end: the service by kill -9, the connection, the answer. Of what the shop has
done there is exactly one afterwards, since it is looked up there before it is done again; what can't be decided goes to the
operator with both sides' figures (magento-rules.md §1, §4).

A killed worker's order waits until its lease is over, and a lost call until the shop must be through with it: all orders of a test
wait at the same time.
"""

import unittest

from story import Scenario, Telling
from waiting import wait_until
from world import POST_SALES

STEPS = {"invoice": "invoices", "shipment": "shipments", "refund": "creditmemos"}
# The answer of a call that was carried out never arrives whole.
LOST = {
    "connection closed": {"fault": "close", "handled": True},
    "connection reset": {"fault": "reset", "handled": True},
    "half an answer": {"fault": "half"},
    "a report's id": {"fault": "report", "handled": True},
    "no answer in time": {"fault": "timeout", "handled": True},
}
WITHIN_S = 150  # of which leases and lost calls take a minute


class Case:
    """An order on its way from checkout to refund, which runs into a fault in one step."""

    def __init__(self, story, step, fault):
        self.story, self.step, self.fault = story, step, fault
        self.order = story.order({"MUG": 2}, payment="gateway")
        self.order.created()

    @property
    def has_happened(self):
        """Whether the shop has done it."""
        return len(self.order.seen()[STEPS[self.step]]) > 0

    def begin(self):
        """Until the OMS has said what the step is done for."""
        story, order = self.story, self.order
        if self.step != "refund":
            name = {"invoice": "invoice", "shipment": "ship"}[self.step]
            self._plan(f"/V1/order/{order.entity_id}/{name}")
        order.ships()
        if self.step == "refund":
            order.updated("COMPLETE", "FULLYSHIPPED")
            story.ends(order, invoices=1, shipments=1, state="complete")
            [invoice] = order.seen()["invoices"]
            self._plan(f"/V1/invoice/{invoice['entity_id']}/refund")
            order.refunds({1: None})

    def end(self):
        """Everything has happened once."""
        story, order = self.story, self.order
        if self.step != "refund":
            order.wait({"invoices": 1, "shipments": 1}, WITHIN_S)
            order.updated("COMPLETE", "FULLYSHIPPED")
            order.wait({"state": "complete"}, WITHIN_S)
            order.refunds({1: None})
        order.wait({"creditmemos": 1, "attention": False}, WITHIN_S)
        story.ends(order, invoices=1, shipments=1, creditmemos=1, total_paid=25, total_refunded=10)
        done = [(entry["operation"], entry["amount"]) for entry in order.seen()["gateway"]]
        assert done == [("authorize", 25), ("capture", 25), ("refund", 10)], done
        mails = [mail["kind"] for mail in order.seen()["mails"]]
        assert mails.count("shipment") == 1, mails

    def _plan(self, path):
        self.story.world.shop.faults.add({"path": path, "verb": "POST", "times": 1, **self.fault})


class Crashes(Scenario):
    WORLD = {"commerce_timeout": "2s", "sales_shop_grace": "3s", "post_sales_settle_time": "3s"}
    PRODUCTS = [{"sku": "MUG", "price": "10"}]

    def all_end(self, story, cases):
        for name, case in cases.items():
            with self.subTest(name):
                try:
                    case.end()
                except AssertionError as error:
                    raise AssertionError(f"{error}\n{story.report()}") from None
        self.assertTrue(self.world.shop.faults.is_through, "a fault has not happened")
        story.close()

    def test_killed_between_the_shops_commit_and_ours(self):
        story = Telling(self)
        # The shop has done it, and its answer hangs until nobody waits for it any more.
        cases = {step: Case(story, step, {"fault": "timeout", "handled": True}) for step in STEPS}
        for case in reversed(cases.values()):
            case.begin()
        for case in cases.values():
            wait_until(lambda: case.has_happened, f"the shop to have the {case.step}", every_s=0.005)
        for service in ("sales", "post-sales"):
            self.world.stack.processes[service].kill()
        for service in ("sales", "post-sales"):
            self.world.stack.processes[service].start().wait_healthy()
        self.all_end(story, cases)

    def test_answer_lost_after_the_shops_commit(self):
        story = Telling(self)
        cases = {f"{step}, {name}": Case(story, step, fault) for step in STEPS for name, fault in LOST.items()}
        for case in cases.values():
            case.begin()
        self.all_end(story, cases)

    def test_shop_that_is_away_for_a_moment(self):
        story = Telling(self)
        order = story.order({"MUG": 1}, payment="gateway")
        order.created()
        story.ends(order, exported="ACCEPTED")
        self.world.shop.down()
        order.ships()
        wait_until(lambda: not [line for line in self.world.busy() if line.startswith("journal")], "the shipment to be consumed")
        self.world.shop.up()
        order.wait({"invoices": 1, "shipments": 1}, WITHIN_S)
        story.ends(order, invoices=1, shipments=1, total_paid=15)
        story.close()

    def test_capture_that_the_gateway_made_and_the_shop_does_not_know_is_the_operators(self):
        story = Telling(self)
        order = story.order({"MUG": 2}, payment="gateway")
        order.created()
        story.ends(order, exported="ACCEPTED")
        with self.world.shop.lock:
            self.world.shop.gateway.plan("capture", after=True)
        order.ships()
        story.ends(order, invoices=0, attention=True, reason=lambda reason: "captured" in reason)
        self.world.settle()
        captures = [entry for entry in order.seen()["gateway"] if entry["operation"] == "capture"]
        self.assertEqual(len(captures), 1, "it is never tried blindly a second time")

    def test_refund_that_the_gateway_made_and_the_shop_does_not_know_is_the_operators(self):
        # The shop rolls back; what its answer says of that arrives, or doesn't.
        for name, fault in {"an answer": None, **LOST}.items():
            with self.subTest(name):
                self.refunded_by_the_gateway_alone(Telling(self), fault)
        self.assertTrue(self.world.shop.faults.is_through, "a fault has not happened")

    def refunded_by_the_gateway_alone(self, story, fault):
        order = story.order({"MUG": 2}, payment="gateway")
        order.created()
        order.ships()
        order.updated("COMPLETE", "FULLYSHIPPED")
        story.ends(order, invoices=1, shipments=1, state="complete")
        [invoice] = order.seen()["invoices"]
        with self.world.shop.lock:
            self.world.shop.gateway.plan("refund", after=True)
        if fault:
            self.world.shop.faults.add({
                "path": f"/V1/invoice/{invoice['entity_id']}/refund", "verb": "POST", "times": 1, **fault})
        note = order.refunds({1: None})["credit_note_number"]

        def stuck():
            found = self.world.call(f"{POST_SALES}/ListRefunds", {"states": ["REFUND_STATE_STUCK"]}).get("refunds", [])
            return next((refund for refund in found if refund["credit_note_number"] == note), None)

        reason = wait_until(stuck, "the refund to be an operator's case")["reason"]
        self.assertIn("10", reason)
        self.assertIn("payment gateway", reason)
        self.world.settle()
        refunds = [entry for entry in order.seen()["gateway"] if entry["operation"] == "refund"]
        self.assertEqual((len(refunds), order.facts(["creditmemos"])["creditmemos"]), (1, 0))


if __name__ == "__main__":
    unittest.main()
