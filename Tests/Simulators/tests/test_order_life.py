"""The simulated OMS plays an order's life: what it says is what the catalogue of messages has (messages.md §4)."""

import json
import os
import sys
import unittest
from datetime import datetime, timezone

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from oms_simulator import GO, PHP, STANDARD, AfterSales, Calendar, OrderLife, Received  # noqa: E402

BEGAN = datetime(2024, 2, 3, 4, 5, 6, tzinfo=timezone.utc)


def line(number, sku, kind="PHYSICAL", item="10", gross=11.9, tax=1.9, **more):
    return {"id": item, "line_number": number, "product_type": kind, "sku": sku, "product_name": sku,
            "shipping_address_reference": "2", "payment_reference": "1", **more,
            "amount": {"net_amount": gross - tax, "gross_amount": gross, "tax_amount": tax, "tax_rate": 19, "currency": "EUR",
                       "taxes": [{"type": "VAT", "amount": tax, "rate": 19}]}}


ORDER = {
    "id": "000000007", "store": "EU-STORE", "customer": {"id": "anonymous", "type": "GUEST", "segment": "B2C"},
    "addresses": [{"reference": "1", "city": "Bonn"}, {"reference": "2", "city": "Oslo"}],
    "payments": [{"reference": "1", "currency": "EUR", "transactions": [
        {"payment_method": "ZEROPAY", "payment_submethod": "ZEROPAY", "amount": 40.7, "billing_address_reference": "1",
         "gateway_information": {"gateway_id": "OFFLINE", "account": None, "transaction_id": None}}]}],
    "lines": [line(1, "MUG"), line(2, "MUG"), line(3, "CAP", item="11"), line(4, "STANDARD", "SHIPPING", "SHIPPING", 5, 0)]}


class OrderLives(unittest.TestCase):
    def life(self, quirks=STANDARD):
        return OrderLife(ORDER, quirks, Calendar(BEGAN))

    def test_events_of_the_order_say_all_of_it_and_each_is_later_than_the_one_before(self):
        life = self.life()
        method, first = life.created()
        self.assertEqual(method, "magento.sales.order_management.created")
        self.assertEqual((first["order"]["status"], first["order"]["status_date"]), ("RECEIVED", "2024-02-03T04:05:07+00:00"))
        self.assertEqual([each["status"] for each in first["order"]["lines"]], ["NEW"] * 4)
        method, second = life.updated("ONHOLD", "PENDING_REMORSE_TIME")
        self.assertEqual(second["order"]["status_date"], "2024-02-03T04:05:08+00:00")
        self.assertEqual(first["order"]["status"], "RECEIVED", "what was said stays as it was said")
        self.assertIsNone(ORDER["lines"][0].get("status"), "the order that was given stays as it is")

    def test_shipment_lists_its_lines_and_its_packages_once(self):
        life = self.life()
        life.created()
        method, params = life.shipped(life.numbers("MUG", 1) + life.numbers("CAP"), [
            {"lines": [1], "carrier": "UPS", "tracking_number": "1Z"}, {"lines": [3]}])
        self.assertEqual(method, "magento.logistics.fulfillment_management.customer_shipment_done")
        shipment = params["shipment"]
        self.assertEqual((shipment["order_id"], shipment["source_id"], shipment["method"], shipment["address"]["city"]),
                         ("000000007", "WH-1", "STANDARD", "Oslo"))
        self.assertEqual([(i["order_line_number"], i["sku"], i["status"]) for i in shipment["items"]],
                         [(1, "MUG", "SHIPPED"), (3, "CAP", "SHIPPED")])
        self.assertEqual([(p["carrier"], p["items"], p["aggregated_items"][0]["order_lines"]) for p in shipment["packages"]],
                         [("UPS", [1], [1]), ("DHL", [3], [3])])
        self.assertEqual(life.numbers(), [2], "what was shipped is not there any more")
        with self.assertRaisesRegex(ValueError, "1 live lines of MUG, not 2"):
            life.numbers("MUG", 2)
        self.assertNotEqual(life.shipped([2])[1]["shipment"]["shipment_request_id"], shipment["shipment_request_id"])

    def test_stand_ins_spell_shipments_in_their_own_ways(self):
        php = self.life(PHP).shipped([1, 2])[1]["shipment"]
        self.assertEqual((php["items"][0]["order_line_number"], php["packages"][0]["items"], php["shipment_id"]),
                         ("1", ["1", "2"], ""))
        self.assertEqual((php["packages"][0]["details"], php["packages"][0]["carrier"]), ([], "DHL "))
        self.assertEqual(php["packages"][0]["aggregated_items"][0]["order_lines"], ["10", "10"])
        self.assertEqual(php["shipment_date"][10], " ")
        go = self.life(GO).shipped([1])[1]["shipment"]
        self.assertEqual((go["shimpent_id"], go["address"]), ("000000007-1", {}))
        self.assertFalse({"shipment_id", "shipment_request_id"} & set(go))
        self.assertFalse({"carrier", "tracking_number", "details"} & set(go["packages"][0]))

    def test_stand_ins_spell_orders_in_their_own_ways(self):
        self.assertEqual(self.life(GO).updated("ONHOLD", "PENDING_REMORSE_TIME")[1]["order"]["status_reason"],
                         "PENDINGREMORSETIME")
        life = self.life(PHP)
        life.shipped([1, 2])
        told = life.updated("LOGISTICS")[1]["order"]
        self.assertEqual([each["status"] for each in told["lines"]], ["shipped", "shipped", "new", "new"])
        self.assertEqual(told["payments"][0]["transactions"][0]["amount"], 23.8)
        self.assertEqual(told["lines"][0]["payments"][0]["status"], "CAPTURE_REQUESTED")

    def test_line_cancel_names_the_item_and_cancel_ends_all_that_is_left(self):
        life = self.life()
        self.assertEqual(life.line_cancelled(2), ("magento.sales.order_management.line_cancelled", {
            "order_id": "000000007", "order_line_id": "10"}))
        life.shipped([1])
        told = life.cancelled()[1]["order"]
        self.assertEqual([each["status"] for each in told["lines"]], ["SHIPPED", "CANCELLED", "CANCELLED", "NEW"])

    def test_refund_says_its_amounts_as_texts(self):
        after = AfterSales(self.life())
        method, params = after.refund({1: None, 3: "5.95"}, rma="RMA-1")
        self.assertEqual(method, "magento.postsales.refund_management.updated")
        refund = params["refund"]
        self.assertEqual((refund["credit_note_number"], refund["status"]["code"], refund["rma"]),
                         ("CDE-000000007-1", "RELEASED", "RMA-1"))
        self.assertEqual([(e["order_line"], e["order_item_id"], e["payments"][0]["details"]["cost_gross"],
                           e["payments"][0]["details"]["cost_vat"]) for e in refund["lines"]],
                         [("1", "10", "11.9", "1.90"), ("3", "11", "5.95", "0.95")])
        self.assertEqual(after.refund({1: None})[1]["refund"]["credit_note_number"], "CDE-000000007-2")
        bare = AfterSales(self.life(PHP)).refund({1: None})[1]["refund"]
        self.assertEqual(bare["store_id"], "WH-1")
        self.assertNotIn("client", bare)
        self.assertNotIn("ref", bare["lines"][0]["payments"][0])

    def test_return_has_an_entry_a_unit(self):
        after = AfterSales(self.life())
        _, params = after.return_updated([1, 2], "REQUESTED")
        self.assertEqual((params["return"]["rma"], [e["line_number"] for e in params["return"]["lines"]]),
                         ("RMA-CS-000000007-1", [1, 2]))
        again = after.return_updated([1, 2], "APPROVED", rma="RMA-CS-000000007-1")[1]["return"]
        self.assertGreater(again["status"]["date"], params["return"]["status"]["date"])

    def test_everything_is_json(self):
        life = self.life(PHP)
        after = AfterSales(life)
        for _, params in (life.created(), life.requests_shipment([1, 2]), life.asks_for_details([1]), life.shipped([1]),
                          life.attributes_updated({"a": "b"}), life.attributes_updated({"a": "b"}, 1),
                          life.address_updated(city="Rome"), after.refund({1: None}), after.return_updated([1]),
                          after.payment("capture", 11.9, [1])):
            self.assertEqual(json.loads(json.dumps(params)), params)


class Messages(unittest.TestCase):
    def test_repetitions_are_counted_and_kept_once(self):
        received = Received()
        for _ in range(3):
            received.add("/events", {"id": "d-1", "method": "m", "params": {"a": 1}})
        received.add("/events", {"id": "d-2", "method": "m", "params": {"a": 2}})
        self.assertEqual([each["params"]["a"] for each in received.wait("m", count=2, timeout_s=1)], [1, 2])
        self.assertEqual((received.times("d-1"), received.times("d-3")), (3, 0))
        self.assertEqual(len(received.all("m", lambda params: params["a"] == 2)), 1)
        with self.assertRaises(TimeoutError):
            received.wait("other", timeout_s=0.01)


if __name__ == "__main__":
    unittest.main()
