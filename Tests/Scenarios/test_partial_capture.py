"""Feature 7, partial capture: money is taken when goods leave, as far as they leave, and as often as the gateway allows
(connector.md §2.7: OFFLINE A, OFFLINE B and CUSTOM)."""

import json
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from story import Scenario, Telling, told
from wire import ANY, differences
from world import SALES

NOTIFY = "magento.payments.payments_management.notify_"
CUSTOM = {"gateway": True, "action": "authorize", "can_capture": True, "can_capture_partial": True, "can_refund": True,
          "can_void": True}


class PartialCapture(Scenario):
    PRODUCTS = [{"sku": "MUG", "price": "10"}, {"sku": "CAP", "price": "7"}]

    def captured(self, order):
        return [entry["amount"] for entry in order.seen()["gateway"] if entry["operation"] == "capture" and not entry["refused"]]

    def operations(self, order):
        return [entry["operation"] for entry in order.seen()["gateway"] if not entry["refused"]]

    @told
    def test_each_shipment_captures_its_goods_and_the_first_one_the_shipping(self, story):
        order = story.order({"MUG": 3}, payment="gateway")
        order.created()
        order.updated("LOGISTICS", "PENDING_FIRST_SHIPMENT")
        order.ships({"MUG": 1})
        story.then(order, invoices=1, shipments=1, total_paid=15)
        order.ships({"MUG": 2})
        story.then(order, invoices=2, shipments=2)
        order.updated("COMPLETE", "FULLYSHIPPED")
        story.ends(order, invoices=2, shipments=2, state="complete", total_paid=35, total_due=0, attention=False)
        self.assertEqual(sum(self.captured(order)), 35)
        self.assertTrue(all(each["captured"] for each in order.documents()["invoices"]))
        # 15 and 20, or 25 and 10 when the second message comes first: the shipping is on the first invoice.
        self.assertIn(sorted(self.captured(order)), ([15, 20], [10, 25]))

    @told
    def test_what_is_cancelled_is_never_captured_and_its_authorisation_given_back(self, story):
        order = story.order({"MUG": 2, "CAP": 1}, payment="gateway")
        order.created()
        order.ships({"MUG": 2})
        story.then(order, invoices=1, shipments=1)
        order.says(order.life.cancelled(order.life.numbers("CAP"), "COMPLETE", "PARTIALLYSHIPPED"))
        story.ends(order, invoices=1, shipments=1, state="complete", total_paid=25, total_canceled=7, attention=False)
        self.assertEqual(self.operations(order), ["authorize", "capture", "void"])

    @told
    def test_gateway_that_captures_once_captures_at_the_last_shipment(self, story):
        order = story.order({"MUG": 2, "CAP": 1}, payment="gateway_single_capture")
        order.created()
        order.updated("LOGISTICS")
        order.ships({"MUG": 1})
        story.then(order, shipments=1)
        order.ships({"MUG": 1})
        story.then(order, shipments=2)
        order.ships({"CAP": 1})
        order.updated("COMPLETE", "FULLYSHIPPED")
        story.ends(order, shipments=3, invoices=1, state="complete", total_paid=32, attention=False)
        self.assertEqual(self.captured(order), [32])

    @told
    def test_gateway_that_captures_once_does_so_for_what_left_when_the_rest_is_cancelled(self, story):
        order = story.order({"MUG": 2, "CAP": 1}, payment="gateway_single_capture")
        order.created()
        order.ships({"MUG": 1})
        story.then(order, shipments=1)
        order.ships({"CAP": 1})
        order.says(order.life.cancelled(order.life.numbers("MUG"), "COMPLETE", "PARTIALLYSHIPPED"))
        story.ends(order, shipments=2, invoices=1, state="complete", total_paid=22, total_canceled=10, attention=False)
        self.assertEqual(self.captured(order), [22])

    @told
    def test_order_that_was_captured_at_checkout_gets_no_invoice_more(self, story):
        order = story.order({"MUG": 2}, payment="gateway_sale")
        self.assertEqual(len(order.seen()["invoices"]), 1)
        order.created()
        order.updated("LOGISTICS", "READYTOSHIP")
        order.ships({"MUG": 1})
        story.then(order, shipments=1)
        order.ships({"MUG": 1})
        order.updated("COMPLETE", "FULLYSHIPPED")
        story.ends(order, shipments=2, invoices=1, state="complete", total_paid=25, attention=False)
        self.assertEqual(self.captured(order), [25])

    @told
    def test_capture_that_fails_is_the_operators_who_lets_it_go_on(self, story):
        # The shop says the same whether the gateway refused or has the money (magento-rules.md §4): nobody tries blindly.
        order = story.order({"MUG": 1}, payment="gateway")
        order.created()
        story.ends(order, exported="ACCEPTED")
        with self.world.shop.lock:
            self.world.shop.gateway.plan("capture")
        order.ships({"MUG": 1})
        story.ends(order, attention=True, reason=lambda reason: "captured" in reason, invoices=0)
        story.both(lambda: self.world.call(f"{SALES}/ResumeOrder", {"increment_id": order.id}))
        story.ends(order, invoices=1, shipments=1, total_paid=15, state="complete", attention=False, reason="")
        self.assertEqual(self.captured(order), [15])

    def test_operator_is_told_what_was_to_be_captured(self):
        """The issue: with both sides' figures."""
        story = Telling(self)
        order = story.order({"MUG": 2}, payment="gateway")
        order.created()
        story.ends(order, exported="ACCEPTED")
        with self.world.shop.lock:
            self.world.shop.gateway.plan("capture", after=True)
        order.ships()
        story.ends(order, attention=True, reason=lambda reason: "25" in reason)


class Integration(BaseHTTPRequestHandler):
    """A merchant's payment integration: it loses its first answer to each command, and carries each out once."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        command, key = self.path.rsplit("/", 1)[1], self.headers["Idempotency-Key"]
        with self.server.lock:
            first = key not in self.server.done
            self.server.done[key] = (command, body["payment"]["order_id"], body["payment"]["amount"])
        if first:
            self.close_connection = True
            return
        answer = json.dumps({"success": True, "gateway_response": "00 approved", "new_gateway_key": ""}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


class CustomPayments(Scenario):
    """The OMS commands, and a payment integration of the merchant's carries it out."""

    PRODUCTS = [{"sku": "MUG", "price": "10"}]

    @classmethod
    def setUpClass(cls):
        cls.integration = ThreadingHTTPServer(("127.0.0.1", 0), Integration)
        cls.integration.lock, cls.integration.done = threading.Lock(), {}
        threading.Thread(target=cls.integration.serve_forever, args=(0.05,), daemon=True).start()
        cls.addClassCleanup(cls.integration.server_close)
        cls.addClassCleanup(cls.integration.shutdown)
        cls.WORLD = {"mapping": "payment wallet = custom gateway=WALLET parts=yes\n",
                     "shop": {"payment_methods": {"wallet": CUSTOM}},
                     "sales_payments_url": f"http://127.0.0.1:{cls.integration.server_port}/payments"}
        super().setUpClass()

    def outcomes(self, order, kind):
        return [message["params"]["payment"] for message in self.world.oms.received.all(
            NOTIFY + kind, lambda params: params["payment"]["order_id"] == order.id)]

    @told
    def test_what_the_oms_commands_is_carried_out_once_and_its_outcome_told(self, story):
        order = story.order({"MUG": 2}, payment="wallet")
        transaction = order.wait_until_sent()["payments"][0]["transactions"][0]
        self.assertEqual((transaction["payment_method"], transaction["gateway_information"]["gateway_id"]), ("wallet", "WALLET"))
        authorization = next(t["txn_id"] for t in order.seen()["transactions"])
        self.assertEqual(transaction["gateway_information"]["transaction_id"], authorization)
        order.created()
        story.then(order, exported="ACCEPTED")
        command = order.after.payment("capture", 25, [1, 2])
        order.says(command)
        [outcome] = story.by_and_by(lambda: self.outcomes(order, "captured"), "the capture to be told")
        self.assertEqual(differences(
            {"gateway": "WALLET", "gateway_key": authorization, "amount": 25, "currency": "EUR", "order_id": order.id,
             "operation_reference": command[1]["payment"]["operation_reference"], "gateway_command": "capture",
             "gateway_response": "00 approved", "gateway_response_time": ANY},
            {name: outcome.get(name) for name in (
                "gateway", "gateway_key", "amount", "currency", "order_id", "operation_reference", "gateway_command",
                "gateway_response", "gateway_response_time")}), [])
        with self.integration.lock:
            done = [(kind, float(amount)) for kind, number, amount in self.integration.done.values() if number == order.id]
        self.assertEqual(done, [("capture", 25.0)])
        order.ships()
        order.updated("COMPLETE", "FULLYSHIPPED")
        story.ends(order, shipments=1, invoices=1, total_paid=25, state="complete", attention=False)
        self.assertEqual(self.operations(order), ["authorize"], "the shop's gateway is not asked a second time")

    def operations(self, order):
        return [entry["operation"] for entry in order.seen()["gateway"] if not entry["refused"]]


if __name__ == "__main__":
    unittest.main()
