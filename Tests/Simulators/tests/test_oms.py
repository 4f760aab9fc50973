"""The simulator has to behave as the message catalogue says, or the tests that lean on it prove nothing."""

import hashlib
import hmac
import http.client
import json
import os
import sys
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from oms_simulator import Oms  # noqa: E402
from oms_simulator.bus import CONTROL, DISCOVER, REGISTER, UNREGISTER, exchange  # noqa: E402
from oms_simulator.control import Client, Control  # noqa: E402
from oms_simulator.story import EXPECTED, chapters, play  # noqa: E402


class Callback:
    """A receiver that keeps what it gets."""

    def __init__(self, probe="*", status=200):
        received = self.received = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_OPTIONS(self):
                self.send_response(200)
                if owner.probe:
                    self.send_header("X-Magento-Service-Bus", owner.probe)
                self.end_headers()

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.append((dict(self.headers.items()), body))
                answer = json.dumps({"jsonrpc": "2.0", "id": json.loads(body)["id"], "result": {"applied": 1}}).encode()
                self.send_response(owner.status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.probe, self.status = probe, status
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/service-bus"

    def close(self):
        self._server.shutdown()
        self._server.server_close()


def post(oms, path, value, **headers):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    headers = {"Content-Type": "application/json", **headers}
    status, _, answer, failure = exchange("POST", oms.url + path, body, headers, 5)
    return status, json.loads(answer) if answer else failure


def call(oms, method, params, path="/", **headers):
    return post(oms, path, {"jsonrpc": "2.0", "id": "1", "method": method, "params": params}, **headers)


class Case(unittest.TestCase):
    def callback(self, **options):
        callback = Callback(**options)
        self.addCleanup(callback.close)
        return callback

    def oms(self, **options):
        oms = Oms(**options)
        oms.up()
        self.addCleanup(oms.down)
        return oms

    def registered(self, oms, **changes):
        callback = self.callback()
        params = {"id": "connector", "url": callback.url, "secret": "s3", "subscribes": [METHOD], **changes}
        self.assertEqual(call(oms, REGISTER, params)[1].get("error"), None)
        return callback


METHOD = "magento.inventory.aggregate_stock_management.updated"


class Tokens(Case):
    FORM = {"Content-Type": "application/x-www-form-urlencoded"}

    def token(self, oms, body):
        return post(oms, "/oauth/token", body, **self.FORM)

    def test_token_is_answered_with_201_and_nothing_but_the_token(self):
        oms = self.oms(client_id="shop", client_secret="x y")
        status, answer = self.token(oms, b"grant_type=client_credentials&client_id=shop&client_secret=x+y")
        self.assertEqual((status, list(answer)), (201, ["access_token"]))

    def test_wrong_secret_is_refused(self):
        oms = self.oms(client_id="shop", client_secret="x")
        self.assertEqual(self.token(oms, b"grant_type=client_credentials&client_id=shop&client_secret=y")[0], 401)

    def test_registering_needs_the_token_and_an_ended_one_is_refused(self):
        oms = self.oms(client_id="shop", client_secret="x", expires_in=0)
        params = {"id": "c", "url": self.callback().url, "secret": "s"}
        self.assertEqual(call(oms, REGISTER, params)[0], 401)
        token = self.token(oms, b"grant_type=client_credentials&client_id=shop&client_secret=x")[1]
        self.assertEqual(token["expires_in"], 0)
        self.assertEqual(call(oms, REGISTER, params, Authorization=f"Bearer {token['access_token']}")[0], 401)
        oms.bus.options.expires_in = None
        token = self.token(oms, b"grant_type=client_credentials&client_id=shop&client_secret=x")[1]["access_token"]
        self.assertEqual(call(oms, REGISTER, params, Authorization=f"Bearer {token}")[0], 200)


class Registering(Case):
    def test_callback_that_does_not_answer_the_probe_is_refused(self):
        oms = self.oms()
        callback = self.callback(probe=None)
        error = call(oms, REGISTER, {"id": "c", "url": callback.url, "secret": "s"})[1]["error"]
        self.assertIn("probe", error["message"])
        self.assertEqual(oms.bus.endpoints(), [])

    def test_arguments_that_real_buses_refuse_are_refused(self):
        oms = self.oms()
        url = self.callback().url
        for changes, message in [
            ({"url": ""}, "URL is empty"),
            ({"id": "eleven-long"}, "id: a text of at most 10 characters"),
            ({"secret": "x" * 61}, "secret: a text of at most 60 characters"),
            ({"url": "http://127.0.0.1/" + "x" * 60}, "url: a text of at most 60 characters"),
        ]:
            with self.subTest(changes):
                error = call(oms, REGISTER, {"id": "c", "url": url, "secret": "s", **changes})[1]["error"]
                self.assertIn(message, error["message"])

    def test_registering_twice_is_refused_replaced_or_kept_twice_as_asked(self):
        for duplicates, refused, endpoints in [("refuse", True, 1), ("replace", False, 1), ("keep", False, 2)]:
            with self.subTest(duplicates):
                oms = self.oms(duplicates=duplicates)
                callback = self.registered(oms)
                again = call(oms, REGISTER, {"id": "connector", "url": callback.url, "secret": "s4"})[1]
                self.assertEqual(again.get("error") is not None, refused)
                self.assertEqual(len(oms.bus.endpoints()), endpoints)

    def test_unregistered_endpoint_gets_nothing_more(self):
        oms = self.oms()
        callback = self.registered(oms)
        self.assertEqual(call(oms, UNREGISTER, {"id": "connector"})[1]["result"], None)
        self.assertEqual(oms.bus.publish(METHOD, {}), [])
        self.assertEqual(callback.received, [])

    def test_endpoints_can_be_looked_at_and_switched_off_and_on(self):
        oms = self.oms(duplicates="replace")
        callback = self.registered(oms)
        for enabled in (False, True):
            self.assertIsNone(call(oms, CONTROL, {"x": [{"id": "connector", "enabled": enabled}]})[1]["result"])
            found = call(oms, DISCOVER, {})[1]["result"]
            self.assertEqual([(e["id"], e["peer_url"], e["enabled"]) for e in found], [("connector", callback.url, enabled)])
            self.assertEqual(len(oms.bus.publish(METHOD, {})), int(enabled))
        call(oms, CONTROL, {"x": [{"id": "connector", "enabled": False}]})
        call(oms, REGISTER, {"id": "connector", "url": callback.url, "secret": "s"})
        self.assertFalse(oms.bus.endpoints()[0]["enabled"])
        self.assertIn("error", call(oms, CONTROL, {"x": [{"id": "nobody", "enabled": True}]})[1])

    def test_buses_of_other_styles_know_neither(self):
        for style in ("php", "go"):
            oms = self.oms(style=style)
            for method in (DISCOVER, CONTROL):
                status, answer = call(oms, method, {})
                self.assertTrue(status == 404 or answer["error"], (style, method))

    def test_go_style_answers_with_all_endpoints(self):
        oms = self.oms(style="go", duplicates="keep")
        params = {"id": "connector", "url": self.callback().url, "secret": "s"}
        answers = [call(oms, REGISTER, params)[1]["result"] for _ in range(2)]
        self.assertEqual([[e["id"] for e in answer] for answer in answers], [["connector"], ["connector", "connector"]])


class Envelope(Case):
    def test_requests_that_break_the_rules_get_the_standard_codes(self):
        oms = self.oms()
        for body, code in [
            (b"{", -32700),
            (b"[]", -32600),
            (b'{"id":1,"method":"x","params":{}}', -32600),
            (b'{"jsonrpc":"2.0","id":1,"method":"x","params":[]}', -32602),
            (b'{"jsonrpc":"2.0","id":1,"method":"x","params":{}}', -32601),
        ]:
            for path in ("/", "/events", "/remote/oms", "/delegate/oms"):
                with self.subTest(body=body, path=path):
                    status, answer = post(oms, path, body)
                    self.assertEqual((status, answer["error"]["code"]), (200, code))

    def test_styles_of_real_buses(self):
        self.assertEqual(call(self.oms(style="php"), "x", {})[0], 404)
        self.assertIsInstance(call(self.oms(style="php"), "x", {})[1], str)
        self.assertIsInstance(call(self.oms(style="go"), "x", {})[1]["error"], str)
        params = {"id": "c", "url": self.callback().url, "secret": "s"}
        self.assertEqual(call(self.oms(style="go"), REGISTER, params)[1]["error"], "")
        self.assertEqual(call(self.oms(style="php"), REGISTER, params)[1]["id"], 1)


class Publishing(Case):
    def test_callback_is_signed_over_the_raw_bytes(self):
        oms = self.oms()
        callback = self.registered(oms)
        sent = oms.publish_stock("EU-WEB", "DELTA", "2024-02-03 04:05:06", [("MÜG", "14"), ("E", 0, True)])
        self.assertEqual([d.delivered for d in sent], [True])
        headers, body = callback.received[0]
        self.assertEqual(headers["X-Signature"], "sha1=" + hmac.new(b"s3", body, hashlib.sha1).hexdigest())
        self.assertEqual(json.loads(body)["params"]["snapshot"]["stock"], [
            {"sku": "MÜG", "quantity": "14"}, {"sku": "E", "quantity": 0, "unlimited": True}])

    def test_parts_share_one_created_on(self):
        oms = self.oms()
        callback = self.registered(oms)
        oms.publish_stock("A", "FULL", "2024-02-03 04:05:06", [(f"S{n}", n) for n in range(10)], parts=3)
        snapshots = [json.loads(body)["params"]["snapshot"] for _, body in callback.received]
        self.assertEqual([len(s["stock"]) for s in snapshots], [4, 4, 2])
        self.assertEqual({s["created_on"] for s in snapshots}, {"2024-02-03 04:05:06"})

    def test_error_replies_and_dead_callbacks_are_told_apart_from_success(self):
        oms = self.oms()
        callback = self.registered(oms)
        callback.status = 503
        self.assertEqual([(d.status, d.delivered) for d in oms.bus.publish(METHOD, {})], [(503, False)])
        callback.close()
        self.assertEqual([(d.status, d.delivered) for d in oms.bus.publish(METHOD, {})], [(None, False)])


class OnDemand(Case):
    def test_faults(self):
        oms = self.oms()
        oms.faults.answer(500, times=1)
        self.assertEqual([call(oms, "x", {})[0], call(oms, "x", {})[0]], [500, 200])
        oms.faults.answer(401, path="/oauth")
        self.assertEqual(call(oms, "x", {})[0], 200)
        self.assertEqual(post(oms, "/oauth/token", {})[0], 401)
        self.assertEqual([r.status for r in oms.requests.all()], [500, 200, 200, 401])

    def test_down_refuses_new_and_kept_connections_until_up(self):
        oms = self.oms()
        address = oms.url.removeprefix("http://")
        kept = http.client.HTTPConnection(address, timeout=5)
        self.addCleanup(kept.close)
        kept.request("POST", "/", b"{", {"Content-Type": "application/json"})
        kept.getresponse().read()
        oms.down()
        with self.assertRaises(OSError):
            http.client.HTTPConnection(address, timeout=5).connect()
        with self.assertRaises((OSError, http.client.HTTPException)):
            kept.sock.settimeout(5)
            kept.auto_open = False
            kept.request("POST", "/", b"{", {"Content-Type": "application/json"})
            kept.getresponse()
        oms.up()
        self.assertEqual(call(oms, "x", {})[0], 200)


class ControlledFromOutside(Case):
    def test_story_is_told_over_the_control_socket(self):
        oms = self.oms()
        with tempfile.TemporaryDirectory() as folder:
            control = Control(oms, os.path.join(folder, "control.sock"))
            self.addCleanup(control.close)
            client = Client(os.path.join(folder, "control.sock"))
            callback = self.registered(oms)
            lines = []
            self.assertTrue(play(client, lines.append))
            self.assertEqual(len(callback.received), 3)
            self.assertIn("FULL snapshot, part 2", "\n".join(lines))
            self.assertEqual(client.get("/state")["deliveries"], 3)
            client.post("/faults", {"down": True})
            with self.assertRaises(OSError):
                http.client.HTTPConnection(oms.url.removeprefix("http://"), timeout=5).connect()
            client.post("/faults", {})
            self.assertEqual(call(oms, "x", {})[0], 200)

    def test_story_ends_as_the_timestamp_rule_says(self):
        held = {}
        for _, _, message in chapters():
            created = message["created_on"].replace(" ", "T").removesuffix("+00:00")
            for row in message["stock"]:
                if created >= held.get(row["sku"], ("", None))[0]:
                    quantity = None if row.get("unlimited") else max(0, int(row["quantity"]))
                    held[row["sku"]] = (created, quantity)
        self.assertEqual({sku: quantity for sku, (_, quantity) in held.items()}, EXPECTED)


if __name__ == "__main__":
    unittest.main()
