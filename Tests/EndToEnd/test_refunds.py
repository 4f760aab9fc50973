"""What the OMS refunds is refunded in the shop, once: to the last cent, whatever is lost or killed on the way."""

import unittest
import uuid

import grpc
from reflected import Reflected
from shop_simulator import admin_actions, place
from shop_stack import commands, shop_stack
from waiting import wait_until

REFUNDED = "magento.postsales.refund_management.updated"
RETURNED = "magento.postsales.return_management.updated"
AUTHORIZE = "magento.postsales.return_management.authorize"
POST_SALES, SALES, CATALOG = (f"omsconnector.v1.{name}Service" for name in ("PostSales", "Sales", "Catalog"))
MAPPING = """
website base = EU-STORE
payment gateway = offline parts=yes
"""
ADMIN = {"invoice": admin_actions.invoice, "ship": admin_actions.ship, "refund": admin_actions.refund,
         "return": admin_actions.create_return}
LEASE_S = 60  # a killed worker's order waits for so long at most


class RefundCase(unittest.TestCase):
    OPTIONS = {}

    @classmethod
    def setUpClass(cls):
        cls.shop, cls.oms, cls.stack = cls.enterClassContext(shop_stack(
            mapping=MAPPING, shop={"msi": False}, post_sales_settle_time="1s", commerce_timeout="2s",
            oms_synchronous_methods="", **cls.OPTIONS))
        cls.oms.bus.wait_for_registration(30, method=REFUNDED)
        cls.client = cls.enterClassContext(Reflected(cls.stack.grpc))
        with cls.shop.lock:
            for sku, price in (("MUG", "10"), ("CAP", "7.99")):
                cls.shop.catalog.put({"sku": sku, "price": price, "stock": {"qty": 100_000}})
        cls.client.call(f"{CATALOG}/UpsertProducts", {"skus": ["MUG", "CAP"]})

    # The shop

    def order(self, *lines, payment="checkmo", **asked):
        """An exported order, invoiced whole; its shipping costs 5."""
        with self.shop.lock:
            order = place(self.shop, {"lines": [{"sku": sku, "quantity": n} for sku, n in lines], "payment": payment, **asked})
        self.client.call(f"{SALES}/ExportOrder", {"increment_id": order["increment_id"]})
        with self.shop.lock:
            self.act("invoice", order, capture=payment == "gateway")
        return order

    def act(self, name, order, **asked):
        return ADMIN[name](self.shop, "", {"increment_id": order["increment_id"], **asked})

    def memos(self, order):
        with self.shop.lock:
            return [memo.as_json() for memo in self.shop.sales.creditmemos.of(order)]

    def units(self, memo):
        return {line["sku"]: int(line["qty"]) for line in memo["items"] if line["qty"]}

    # The OMS

    def message(self, order, amounts, note=None, code="RELEASED", refund_type="Return"):
        """`amounts`: line number → amount."""
        return {"refund": {
            "client": "shop", "order_id": order["increment_id"], "store_id": "EU-STORE", "sales_channel_id": "EU-STORE",
            "credit_note_number": note or f"CDE{uuid.uuid4().hex[:8]}", "credit_note_date": "2024-02-03 04:05:06+00:00",
            "status": {"code": code, "reason_code": "REQUESTED", "date": "2024-02-03 04:05:06+00:00"},
            "refund_type": refund_type, "rma": "", "user": "LOGISTICS", "refund_reason": "RELEASESUCCESS",
            "lines": [{"order_line": str(number), "order_item_id": "1", "reason": "", "reason_description": "",
                       "payments": [{"ref": "1", "details": {"cost_gross": str(amount)}}]}
                      for number, amount in amounts.items()]}}

    def refund(self, order, amounts, **more):
        """The number of the credit note that the OMS has told of."""
        message = self.message(order, amounts, **more)
        [delivery] = self.oms.bus.publish(REFUNDED, message)
        self.assertTrue(delivery.delivered, delivery)
        wait_until(lambda: self.is_consumed(message["refund"]), "the message to be consumed")
        return message["refund"]["credit_note_number"]

    def is_consumed(self, told):
        """Whether what the OMS has said is what the connector knows, or was overtaken."""
        try:
            refund = self.known(told["credit_note_number"])
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.NOT_FOUND:
                return False
            raise
        return refund["oms_status"] in (told["status"]["code"], "RELEASED")

    def known(self, note):
        return self.client.call(f"{POST_SALES}/GetRefund", {"credit_note_number": note})["refund"]

    def wait_state(self, note, state, timeout_s=30):
        def reached():
            try:
                refund = self.known(note)
            except grpc.RpcError as error:
                if error.code() == grpc.StatusCode.UNAVAILABLE:
                    return False  # the gateway has not found yet that the service is back
                raise
            return refund["state"] == f"REFUND_STATE_{state}" and refund

        try:
            return wait_until(reached, f"{note} to be {state}", timeout_s, every_s=0.05)
        except AssertionError as error:
            raise AssertionError(f"{error}: it is {self.known(note)}") from None


class Refunds(RefundCase):
    def test_whole_unit_is_one_memo_however_often_it_is_told(self):
        order = self.order(("MUG", 2), ("CAP", 1))
        message = self.message(order, {1: "10.00", 3: "7.99"})
        note = message["refund"]["credit_note_number"]
        for _ in range(3):
            self.oms.bus.publish(REFUNDED, message)
        wait_until(lambda: self.is_consumed(message["refund"]), "the message to be consumed")
        refund = self.wait_state(note, "DONE")
        self.oms.bus.publish(REFUNDED, message)
        [memo] = self.memos(order)
        self.assertEqual((float(memo["grand_total"]), self.units(memo)), (17.99, {"MUG": 1, "CAP": 1}))
        self.assertEqual(memo["comments"][0]["comment"], f"OMS credit note {note}")
        self.assertEqual((float(refund["refunded_amount"]["value"]), refund["documents"][0]["creditmemo_id"]),
                         (17.99, memo["entity_id"]))
        self.assertTrue(all(line["whole_unit"] for line in refund["lines"]))
        self.assertEqual([mail["kind"] for mail in self.shop.mails.all() if mail["order"] == order["increment_id"]].count(
            "creditmemo"), 1)

    def test_partial_amount_and_shipping(self):
        order = self.order(("MUG", 2))
        self.wait_state(self.refund(order, {1: "3.33"}), "DONE")
        self.wait_state(self.refund(order, {3: "5"}), "DONE")
        amount, shipping = self.memos(order)
        self.assertEqual((float(amount["grand_total"]), float(amount["adjustment_positive"]), self.units(amount)), (3.33, 3.33, {}))
        self.assertEqual((float(shipping["grand_total"]), float(shipping["shipping_amount"])), (5, 5))
        # The rest of the unit: it leaves the order.
        self.wait_state(self.refund(order, {1: "6.67"}), "DONE")
        self.assertEqual((float(order["total_refunded"]), self.units(self.memos(order)[2])), (15, {"MUG": 1}))

    def test_pending_refund_waits_for_its_release(self):
        order = self.order(("MUG", 1))
        note = self.refund(order, {1: "10"}, code="PENDINGRELEASE")
        self.wait_state(note, "PENDING")
        with self.assertRaises(grpc.RpcError) as refused:
            self.client.call(f"{POST_SALES}/ResumeRefund", {"credit_note_number": note})
        self.assertEqual(refused.exception.code(), grpc.StatusCode.FAILED_PRECONDITION)
        self.refund(order, {1: "10"}, note=note)
        self.wait_state(note, "DONE")
        self.refund(order, {1: "10"}, note=note, code="PENDINGRELEASE")
        self.assertEqual((self.known(note)["state"], len(self.memos(order))), ("REFUND_STATE_DONE", 1))

    def test_captured_money_goes_back_through_its_invoice(self):
        order = self.order(("MUG", 2), payment="gateway")
        self.wait_state(self.refund(order, {1: "10", 3: "5"}), "DONE")
        [memo] = self.memos(order)
        self.assertEqual((float(memo["grand_total"]), float(order["total_online_refunded"])), (15, 15))

    def test_other_currency(self):
        order = self.order(("MUG", 3), currency="USD", base_currency="EUR", rate="1.0873")
        gross = float(order.items[0]["row_total"])
        self.wait_state(self.refund(order, {1: "4.21"}, refund_type="appeasement"), "DONE")
        self.assertEqual(float(order["total_refunded"]), 4.21)
        self.assertGreater(gross, 30)

    def test_more_than_was_paid_is_the_operators_with_both_figures(self):
        order = self.order(("MUG", 1))
        with self.shop.lock:
            self.act("refund", order, items=[{"order_item_id": order.items[0].id, "qty": 1}], arguments={"shipping_amount": 0})
        note = self.refund(order, {1: "10"})
        reason = self.wait_state(note, "STUCK")["reason"]
        self.assertIn("10", reason)
        self.assertIn("5", reason)
        self.assertEqual(len(self.memos(order)), 1)
        listed = self.client.call(f"{POST_SALES}/ListRefunds", {"states": ["REFUND_STATE_STUCK"], "page_size": 1000})["refunds"]
        self.assertIn(note, [each["credit_note_number"] for each in listed])
        self.client.call(f"{POST_SALES}/SettleRefund", {"credit_note_number": note, "note": "was refunded by hand, Ann"})
        self.assertEqual(self.known(note)["state"], "REFUND_STATE_DONE")

    def test_refund_waits_for_its_invoice(self):
        with self.shop.lock:
            order = place(self.shop, {"lines": [{"sku": "MUG", "quantity": 1}]})
        self.client.call(f"{SALES}/ExportOrder", {"increment_id": order["increment_id"]})
        note = self.refund(order, {1: "10"})
        wait_until(lambda: "invoice" in self.known(note).get("reason", ""), "the refund to say what it waits for")
        with self.shop.lock:
            self.act("invoice", order)
        self.wait_state(note, "DONE")

    def test_answer_that_is_lost_after_the_memo_was_made(self):
        for fault in ({"fault": "close", "handled": True}, {"fault": "half"}, {"fault": "report", "handled": True},
                      {"fault": "timeout", "handled": True}):
            with self.subTest(fault):
                order = self.order(("MUG", 2))
                self.shop.faults.add({"path": f"/V1/order/{order['entity_id']}/refund", "verb": "POST", **fault})
                self.wait_state(self.refund(order, {1: "10"}), "DONE", LEASE_S)
                self.assertTrue(self.shop.faults.is_through)
                self.assertEqual(len(self.memos(order)), 1)

    def test_answer_that_is_lost_before_the_memo_was_made(self):
        order = self.order(("MUG", 2))
        self.shop.faults.add({"path": f"/V1/order/{order['entity_id']}/refund", "verb": "POST", "fault": "close"})
        self.wait_state(self.refund(order, {1: "10"}), "DONE", LEASE_S)
        self.assertEqual(len(self.memos(order)), 1)

    def test_killed_after_the_memo_was_made(self):
        order = self.order(("MUG", 2), payment="gateway")
        [invoice] = self.shop.sales.invoices.of(order)
        self.shop.faults.add({
            "path": f"/V1/invoice/{invoice['entity_id']}/refund", "verb": "POST", "fault": "timeout", "handled": True})
        note = self.refund(order, {1: "10"})
        wait_until(lambda: self.memos(order), "the shop to have the memo", every_s=0.005)
        process = self.stack.processes["post-sales"]
        process.kill()
        process.start().wait_healthy()
        self.wait_state(note, "DONE", LEASE_S)
        self.assertEqual(len(self.memos(order)), 1)
        self.assertEqual([e["operation"] for e in self.shop.gateway.ledger if e["order"] == order["increment_id"]].count("refund"), 1)


class Returns(RefundCase):
    def shipped(self, *lines):
        order = self.order(*lines)
        with self.shop.lock:
            self.act("ship", order, items=[])
        return order

    def told(self, order, rma, numbers, code, date, **head):
        """The OMS tells of a return, twice."""
        message = {"return": {
            "sales_channel_id": "EU-STORE", "order_id": order["increment_id"], "source_id": "WH-1", "user": "csr", "rma": rma,
            "status": {"code": code, "reason_code": "CSRREQUEST", "date": date},
            "lines": [{"id": "1", "line_number": n, "sku": "MUG", "reason": "WRONGSIZE", "reason_description": "",
                       "condition": "OPENED", "status": code} for n in numbers], **head}}
        for _ in range(2):
            [delivery] = self.oms.bus.publish(RETURNED, message)
            self.assertTrue(delivery.delivered, delivery)

    def rmas(self, order):
        with self.shop.lock:
            return [rma.as_json() for rma in self.shop.sales.returns.of(order)]

    def wait_item(self, order, status):
        def reached():
            rmas = self.rmas(order)
            return rmas and {item["status"] for item in rmas[0]["items"]} == {status} and rmas

        return wait_until(reached, f"the return to be {status}: {self.rmas(order)}")

    def get(self, rma):
        return self.client.call(f"{POST_SALES}/GetReturn", {"rma": rma})["return"]

    def test_blind_return_is_made_in_the_shop_once_and_moves_on(self):
        order = self.shipped(("MUG", 3))
        rma = f"RMA-CS-{order['increment_id']}-1"
        self.told(order, rma, [1, 3], "REQUESTED", "2024-02-03 04:05:06+00:00",
                  return_tracking_number="R-1", return_tracking_carrier="DHL")
        self.wait_item(order, "pending")
        self.told(order, rma, [1, 3], "APPROVED", "2024-02-03 05:05:06+00:00")
        self.told(order, rma, [1, 3], "REQUESTED", "2024-02-03 04:05:06+00:00")
        [made] = self.wait_item(order, "approved")
        [item] = made["items"]
        self.assertEqual((item["qty_requested"], item["qty_approved"], item["reason"]), (2, 2, "2"))
        wait_until(lambda: [track["track_number"] for track in self.rmas(order)[0]["tracks"]] == ["R-1"], "the return to have its parcel")
        known = self.get(rma)
        self.assertEqual((known["entity_id"], known["state"], known["blind"]), (made["entity_id"], "RETURN_STATE_ENDED", True))

    def test_return_of_the_shop_goes_to_the_oms_by_itself_and_once(self):
        order = self.shipped(("MUG", 2))
        with self.shop.lock:
            self.shop.clock.move(-30)  # what is newer than 5 s is read later
            entity = self.act("return", order, items=[{
                "order_item_id": order.items[0].id, "qty_requested": 2, "reason": 2, "condition": 5, "resolution": 8}])["entity_id"]
            self.shop.clock.move(30)
        [asked] = wait_until(
            lambda: [m for m in commands(self.oms, AUTHORIZE) if m["return"]["order_id"] == order["increment_id"]], "the OMS to be asked")
        again = self.client.call(f"{POST_SALES}/AuthorizeReturn", {"entity_id": entity})
        self.assertEqual(again["return"]["state"], "RETURN_STATE_REQUESTED")
        asked = asked["return"]
        self.assertEqual([(line["line_number"], line["sku"], line["reason"], line["condition"]) for line in asked["lines"]],
                         [(1, "MUG", "WRONGSIZE", "OPENED"), (2, "MUG", "WRONGSIZE", "OPENED")])
        for name in ("source_id", "return_tracking_number", "return_tracking_url", "return_tracking_label_url"):
            self.assertEqual(asked[name], "", name)
        rma = f"RMA-CS-{order['increment_id']}-1"
        self.told(order, rma, [1, 2], "APPROVED", "2024-02-03 05:05:06+00:00")
        [made] = self.wait_item(order, "approved")
        self.assertEqual((made["entity_id"], self.get(rma).get("blind", False)), (entity, False))
        self.assertEqual(len([m for m in commands(self.oms, AUTHORIZE) if m["return"]["order_id"] == order["increment_id"]]), 1)

    def test_answer_that_is_lost_after_the_return_was_made(self):
        order = self.shipped(("MUG", 1))
        self.shop.faults.add({"path": "/V1/returns", "verb": "POST", "fault": "close", "handled": True})
        rma = f"RMA-CS-{order['increment_id']}-1"
        self.told(order, rma, [1], "APPROVED", "2024-02-03 05:05:06+00:00")
        self.wait_item(order, "approved")
        self.assertEqual(len(self.rmas(order)), 1)


if __name__ == "__main__":
    unittest.main()
