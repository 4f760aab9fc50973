"""Webhooks and events: what the commercial edition offers and Open Source has not (magento-rules §4)."""

import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from shop_case import MUG
from shop_simulator.control import Control
from shop_simulator.outgoing import CANCEL, INVOICE, ORDER_SAVED, PRODUCT_SAVED
from test_shop_states import Sales


class Listener:
    """Answers what it is told to, and keeps what it gets."""

    def __init__(self):
        self.got, self.answer, self.status = queue.Queue(), b'{"op": "success"}', 200
        self.before_answer = lambda: None
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                owner.got.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                owner.before_answer()
                self.send_response(owner.status)
                self.send_header("Content-Length", str(len(owner.answer)))
                self.end_headers()
                self.wfile.write(owner.answer)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class Listening(Sales):
    def listener(self):
        listener = Listener()
        self.addCleanup(listener.close)
        return listener


class Webhooks(Listening):
    def test_exception_reply_aborts_the_action(self):
        listener = self.listener()
        listener.answer = b'[{"op": "exception", "message": "The OMS owns this order."}]'
        shop = self.shop(webhooks=[{"event": INVOICE, "url": listener.url}])
        order = self.order(shop, "MUG")
        path = f"/V1/order/{order['entity_id']}/invoice"
        self.refused(shop, "POST", path, {"items": []}, 400, "The OMS owns this order.")
        self.assertEqual((listener.got.get(timeout=5)["event"], len(shop.sales.invoices)), (INVOICE, 0))
        listener.answer = b'{"op": "success"}'
        self.post(shop, path)

    def test_people_are_stopped_as_well(self):
        listener = self.listener()
        listener.answer = b'{"op": "exception", "message": "no"}'
        shop = self.shop(webhooks=[{"event": CANCEL, "url": listener.url}])
        order = self.order(shop, "MUG")
        control = Control(shop, "127.0.0.1:0")
        self.addCleanup(control.close)
        with self.assertRaisesRegex(ValueError, "no"):
            control.post("/cancel", {"increment_id": order["increment_id"]})
        self.assertEqual(order["state"], "new")

    def test_required_webhook_that_fails_aborts_and_others_do_not(self):
        for required, status in ((True, 400), (False, 200)):
            listener = self.listener()
            listener.status = 500
            shop = self.shop(webhooks=[{"event": INVOICE, "url": listener.url, "required": required}])
            order = self.order(shop, "MUG")
            self.assertEqual(self.call(shop, "POST", f"/V1/order/{order['entity_id']}/invoice", {})[0], status)

    def test_who_is_asked_may_look_at_the_shop(self):
        listener = self.listener()
        shop = self.shop(webhooks=[{"event": INVOICE, "url": listener.url}])
        order = self.order(shop, "MUG")
        listener.before_answer = lambda: self.shown(shop, order)
        self.do(shop, order, "invoice")

    def test_open_source_and_old_versions_have_none(self):
        for settings in ({"commerce": False}, {"version": "2.2"}):
            listener = self.listener()
            shop = self.shop([MUG], webhooks=[{"event": INVOICE, "url": listener.url}], events_url=listener.url,
                             **settings)
            self.do(shop, self.order(shop, "MUG"), "invoice")
            self.assertTrue(listener.got.empty())


class Events(Listening):
    def test_events_tell_of_saves(self):
        listener = self.listener()
        shop = self.shop([], events_url=listener.url)
        shop.catalog.put(MUG)
        order = self.order(shop, "MUG")
        told = [listener.got.get(timeout=5)["event"] for _ in range(2)]
        self.assertEqual([event["name"] for event in told], [PRODUCT_SAVED, ORDER_SAVED])
        self.assertEqual((told[0]["value"]["sku"], told[1]["value"]["increment_id"]), ("MUG", order["increment_id"]))
