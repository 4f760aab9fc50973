"""What goes wrong on demand, and what has happened nevertheless (magento-rules §4)."""

import http.client
import json
import os
import socket
import tempfile
import threading

from oms_simulator import History
from oms_simulator.history import read
from shop_case import MUG
from test_shop_states import Sales


class Faults(Sales):
    def ask(self, shop, verb, path, body=None, timeout_s=10):
        """(status, headers, body), or the exception that ended the exchange."""
        connection = http.client.HTTPConnection(shop.url.removeprefix("http://"), timeout=timeout_s)
        try:
            connection.request(verb, "/rest" + path, json.dumps(body or {}),
                               {"Content-Type": "application/json", "Authorization": "Bearer shop-token"})
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        except (OSError, http.client.HTTPException) as error:
            return error
        finally:
            connection.close()

    def test_time_out_can_come_after_success(self):
        shop = self.shop()
        order = self.order(shop, ("MUG", 2), payment="gateway")
        path = f"/V1/order/{order['entity_id']}/invoice"
        shop.faults.plan("timeout", "/V1/order/*/invoice")
        self.assertIsInstance(self.ask(shop, "POST", path, {"capture": True}, timeout_s=0.5), socket.timeout)
        self.assertEqual(self.get(shop, "/V1/invoices?searchCriteria")["total_count"], 1)
        self.assertTrue(shop.faults.is_through)

    def test_connection_that_closes_before_or_after_the_call_was_carried_out(self):
        for fault, options, done in (("close", {}, 0), ("close", {"handled": True}, 1),
                                     ("reset", {"handled": True}, 1), ("half", {}, 1),
                                     ("timeout", {"handled": False}, 0)):
            with self.subTest(fault=fault, **options):
                shop = self.shop()
                order = self.order(shop, "MUG")
                shop.faults.plan(fault, "/V1/order/*/ship", **options)
                self.assertIsInstance(self.ask(shop, "POST", f"/V1/order/{order['entity_id']}/ship", timeout_s=0.5),
                                      (OSError, http.client.HTTPException))
                self.assertEqual(len(shop.sales.shipments), done)

    def test_row_that_the_shop_can_not_handle_fails_whatever_holds_it(self):
        shop = self.shop()
        first, second = (self.order(shop, "MUG")["entity_id"] for _ in range(2))
        shop.faults.break_rows("/V1/orders", first)
        shop.faults.break_rows("/V1/products", "MUG")
        shop.faults.break_rows("/V1/inventory/source-items", "MUG")
        behind = ("searchCriteria[filter_groups][0][filters][0][field]=entity_id&"
                  "searchCriteria[filter_groups][0][filters][0][condition_type]=gt&"
                  f"searchCriteria[filter_groups][0][filters][0][value]={first}")
        row = {"sourceItems": [{"sku": "MUG", "source_code": "default", "quantity": 1, "status": 1}]}
        asked = [("GET", "/V1/orders?searchCriteria", None), ("GET", "/V1/orders?fields=items[entity_id]&searchCriteria", None),
                 ("GET", "/V1/products?searchCriteria", None), ("POST", "/V1/inventory/source-items", row)]
        for verb, path, body in asked:
            self.assertEqual(self.ask(shop, verb, path, body)[0], 500, path)
        found = json.loads(self.ask(shop, "GET", f"/V1/orders?{behind}")[2])
        self.assertEqual([order["entity_id"] for order in found["items"]], [second])
        for path in ("/V1/orders", "/V1/products", "/V1/inventory/source-items"):
            shop.faults.mend_rows(path)
        for verb, path, body in asked:
            self.assertEqual(self.ask(shop, verb, path, body)[0], 200, path)

    def test_500_shows_only_the_id_of_a_report(self):
        shop = self.shop()
        order = self.order(shop, "MUG")
        for handled in (False, True):
            shop.faults.plan("report", f"/V1/orders/{order['entity_id']}/comments", verb="POST", handled=handled)
            status, _, body = self.ask(shop, "POST", f"/V1/orders/{order['entity_id']}/comments",
                                       {"statusHistory": {"comment": "c"}})
            self.assertEqual(status, 500)
            self.assertRegex(json.loads(body)["message"], "^Internal Error. .*Report ID: webapi-[0-9a-f]+$")
        self.assertEqual([c["comment"] for c in order.comments], ["", "c"])

    def test_could_not_save_answers_400_and_may_pass_later(self):
        shop = self.shop()
        order = self.order(shop, "MUG", payment="gateway")
        shop.gateway.plan("capture")
        path = f"/V1/order/{order['entity_id']}/invoice"
        self.refused(shop, "POST", path, {"capture": True}, 400, "Could not save an invoice")
        self.post(shop, path, {"capture": True})

    def test_answers_of_a_shop_that_is_not_itself(self):
        shop = self.shop()
        for fault, options, status, header in (("maintenance", {}, 503, ("Content-Type", "text/html; charset=utf-8")),
                                               ("throttled", {"retry_after": 7}, 429, ("Retry-After", "7")),
                                               ("unauthorized", {}, 401, ("Content-Type", "application/json")),
                                               ("status", {"status": 502}, 502, ("Content-Type", "application/json"))):
            with self.subTest(fault):
                shop.faults.plan(fault, **options)
                got = self.ask(shop, "GET", "/V1/products/MUG")
                self.assertEqual((got[0], got[1][header[0]]), (status, header[1]))
                self.assertEqual(self.ask(shop, "GET", "/V1/products/MUG")[0], 200)

    def test_slow_answer_waits_until_it_is_cleared(self):
        shop = self.shop()
        shop.faults.plan("slow", delay_s=600)
        answers = []
        asking = threading.Thread(target=lambda: answers.append(self.ask(shop, "GET", "/V1/products/MUG")[0]))
        asking.start()
        while not shop.faults.is_through:  # until it has come
            asking.join(0.01)
        self.assertEqual(answers, [])
        shop.faults.clear()
        asking.join(10)
        self.assertEqual(answers, [200])

    def test_faults_meet_their_route_verb_and_number_of_times_only(self):
        shop = self.shop()
        shop.faults.plan("throttled", "/V1/products*", times=2, verb="GET")
        statuses = [self.ask(shop, verb, path)[0] for verb, path in (
            ("GET", "/V1/modules"), ("GET", "/V1/products/MUG"), ("GET", "/default/V1/products/MUG"),
            ("GET", "/V1/products/MUG"))]
        self.assertEqual(statuses, [200, 429, 429, 200])
        with self.assertRaisesRegex(ValueError, "not one of"):
            shop.faults.plan("fire")

    def test_history_tells_what_was_carried_out_whatever_was_answered(self):
        with tempfile.TemporaryDirectory() as folder, History(os.path.join(folder, "history")) as history:
            shop = self.shop()
            shop.history = history
            order = self.order(shop, "MUG")
            path = f"/V1/orders/{order['entity_id']}/comments"
            for fault, options in (("report", {"handled": True}), ("report", {}), (None, {})):
                if fault:
                    shop.faults.plan(fault, **options)
                self.ask(shop, "POST", path, {"statusHistory": {"comment": "c"}})
            self.ask(shop, "POST", path)
            told = read(history.path)
        self.assertEqual([(e["fault"], e["carried_out"]) for e in told],
                         [("report", True), ("report", False), (None, True), (None, False)])
        self.assertEqual(told[0]["path"], "/rest" + path)

    def test_large_bodies_are_asked_for_with_100_continue(self):
        shop = self.shop()
        host, _, port = shop.url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(b"POST /rest/V1/orders/9/comments HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                               b"Authorization: Bearer shop-token\r\nContent-Length: 2\r\n\r\n")
            self.assertIn(b"100 Continue", connection.recv(100))
            connection.sendall(b"{}")
            self.assertIn(b"404", connection.recv(1000))

    def test_routes_of_companion_modules_answer_and_are_recorded(self):
        shop = self.shop(companion_routes={"POST /V1/companion/balance": True})
        self.assertIs(self.post(shop, "/V1/companion/balance", {"amount": "3"}), True)
        self.assertEqual(json.loads(shop.requests.all()[-1].body), {"amount": "3"})
        self.assertEqual(self.call(shop, "POST", "/V1/companion/other", {})[0], 404)

    def test_down_refuses_connections_and_the_port_stays(self):
        shop = self.shop()
        url = shop.url
        shop.down()
        self.assertIsInstance(self.ask(shop, "GET", "/V1/modules"), ConnectionRefusedError)
        shop.up()
        self.assertEqual((shop.url, self.ask(shop, "GET", "/V1/modules")[0]), (url, 200))

    def test_our_own_writes_move_updated_at(self):
        shop = self.shop([MUG])
        shop.clock.fix(1_700_000_000)
        order = self.order(shop, "MUG")
        shop.clock.move(60)
        self.post(shop, f"/V1/orders/{order['entity_id']}/comments", {"statusHistory": {"comment": "seen"}})
        self.assertEqual(self.shown(shop, order)["updated_at"], "2023-11-14 22:14:20")

    def test_what_nobody_foresaw_is_a_report_and_the_shop_goes_on(self):
        shop = self.shop()
        for verb, path, body, status in (("POST", "/V1/order/1/invoice", "{", 400),
                                         ("GET", "/V1/orders/none", None, 400),
                                         ("GET", "/V1/orders/77", None, 404), ("GET", "/V1/nothing", None, 404),
                                         ("GET", "/", None, 404),
                                         ("POST", "/V1/order/x/ship", {}, 400)):
            with self.subTest(path=path):
                connection = http.client.HTTPConnection(shop.url.removeprefix("http://"), timeout=10)
                connection.request(verb, "/rest" + path, body if isinstance(body, str) else json.dumps(body),
                                   {"Content-Type": "application/json", "Authorization": "Bearer shop-token"})
                self.assertEqual(connection.getresponse().status, status)
                connection.close()
