"""The OMS's messages are durable before they are answered, and have their effect once and in order."""

import hashlib
import hmac
import http.client
import json
import socket
import sqlite3
import unittest

import grpc
from bus import CREATED, CREDENTIALS, BusCase
from oms_simulator import snapshot
from oms_simulator.snapshots import UPDATED
from waiting import wait_until

PENDING, SUCCESS, IGNORED, ERROR = 1, 2, 3, 4


class Asynchronous(BusCase):
    OPTIONS = {"oms_synchronous_methods": ""}

    def journal(self, query, *values):
        """Rows of the gateway's store, read while the gateway works on it."""
        with sqlite3.connect(f"file:{self.stack.state_dir}/data/gateway.sqlite?mode=ro", uri=True, timeout=10) as store:
            return store.execute(query, values).fetchall()

    def statuses(self, key):
        return [status for (status,) in self.journal("SELECT status FROM journal WHERE message_key = ? ORDER BY id", key)]

    def wait_for(self, aggregate, expected):
        def is_there():
            try:
                return self.quantities(aggregate) == expected
            except grpc.RpcError as error:
                # A service that has just been started is found by the gateway a moment later.
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
                return False

        wait_until(is_there, f"{aggregate} to be {expected}")

    def test_message_is_answered_with_true_and_has_its_effect(self):
        delivery = self.stock("ASYNC", "DELTA", [("A", 3)])
        self.assertEqual((delivery.status, delivery.result), (200, True), delivery)
        self.wait_for("ASYNC", {"A": 3})
        wait_until(lambda: self.statuses("ASYNC") == [SUCCESS], "the journal to say so")

    def test_messages_of_an_aggregate_have_their_effect_in_the_order_in_which_they_were_answered(self):
        for quantity in range(1, 201):
            self.assertTrue(self.stock("ORDER", "DELTA", [("A", quantity)]).delivered)
        wait_until(lambda: self.statuses("ORDER") == [SUCCESS] * 200, "all to be delivered")
        self.assertEqual(self.quantities("ORDER"), {"A": 200}, "of equally old messages the last one counts")

    def test_same_delivery_again_is_answered_alike_and_is_one_message(self):
        body = self.message(snapshot("TWICE", "DELTA", CREATED, [("A", 1)]), message_id="twice-1")
        answers = [self.send(body) for _ in range(3)]
        self.assertEqual({(answer.status, answer.result) for answer in answers}, {(200, True)})
        self.wait_for("TWICE", {"A": 1})
        self.assertEqual(self.send(body).result, True)
        self.assertEqual(len(self.statuses("TWICE")), 1)
        spaced = json.dumps(body, indent=3).encode()
        self.assertEqual(self.send(spaced).result, True)
        self.assertEqual(len(self.statuses("TWICE")), 1, "blanks make no other message")
        body["params"]["snapshot"]["stock"][0]["quantity"] = 2
        self.send(body)
        self.wait_for("TWICE", {"A": 2})

    def test_poisonous_message_is_set_aside_with_its_reason_and_its_key_goes_on(self):
        self.stock("POISON", "DELTA", [("A", 1)])
        self.assertTrue(self.stock("POISON", "PARTIAL", [("A", 2)]).delivered)
        self.stock("POISON", "DELTA", [("B", 3)])
        self.wait_for("POISON", {"A": 1, "B": 3})
        wait_until(lambda: self.statuses("POISON") == [SUCCESS, ERROR, SUCCESS], "the journal to say so")
        ((reason, attempts),) = self.journal(
            "SELECT reason, attempt_count FROM journal WHERE message_key = 'POISON' AND status = 4")
        self.assertIn("PARTIAL", reason)
        self.assertEqual(attempts, 1, "what can never be consumed is tried once")

    def test_what_no_service_consumes_and_what_is_no_message_are_in_the_journal(self):
        unknown = self.send(self.message({"a": 1}, method="magento.nothing.here.happened", message_id="unknown-1"))
        self.assertEqual(unknown.error["code"], -32601)
        ((status, reason),) = self.journal("SELECT status, reason FROM journal WHERE delivery_id = '\"unknown-1\"'")
        self.assertEqual((status, reason), (IGNORED, "the method is not consumed here"))
        self.send(b"this is no JSON, alas")
        ((status, body),) = self.journal("SELECT status, body FROM journal WHERE body = ?", b"this is no JSON, alas")
        self.assertEqual(status, ERROR)

    def test_messages_survive_the_gateway_and_wait_for_their_service(self):
        self.stack.inventory.kill()
        for quantity in range(1, 31):
            self.assertTrue(self.stock("KILLED", "DELTA", [("A", quantity), (f"S{quantity}", 1)]).delivered)
        self.stack.gateway.kill()
        self.stack.gateway.start().wait_healthy()
        self.assertEqual(self.statuses("KILLED"), [PENDING] * 30)
        self.stack.inventory.start().wait_healthy()
        self.wait_for("KILLED", {"A": 30, **{f"S{n}": 1 for n in range(1, 31)}})
        wait_until(lambda: self.statuses("KILLED") == [SUCCESS] * 30, "the journal to say so")

    # What real buses do

    def post(self, body, headers, version="HTTP/1.1"):
        """The answer's status and body; the request is written as it is."""
        host, _, port = self.stack.http.rpartition(":")
        signature = hmac.new(CREDENTIALS["oms_secret"].encode(), body, hashlib.sha1).hexdigest()
        head = f"POST /service-bus {version}\r\nHost: {self.stack.http}\r\nX-Signature: sha1={signature}\r\n{headers}\r\n"
        with socket.create_connection((host, int(port)), timeout=10) as client:
            client.sendall(head.encode() + body)
            reply = http.client.HTTPResponse(client, method="POST")
            reply.begin()
            return reply.status, reply.read()

    def test_liberties_of_real_buses(self):
        params = {"snapshot": {"aggregate_id": "REAL", "mode": "DELTA", "created_on": "2024-02-03 04:05:06",
                               "stock": [{"sku": "A", "quantity": "14", "unlimited": "0"}]}, "client": "x"}
        without_version = json.dumps({"id": 7, "method": UPDATED, "client": {"a": []}, "params": params}).encode()
        cases = {
            "no jsonrpc, extra members, numbers as texts, a blank in the date":
                (without_version, f"Content-Length: {len(without_version)}\r\nConnection: close\r\n", "HTTP/1.1", b"true"),
            "HTTP/1.0": (without_version, f"Content-Length: {len(without_version)}\r\n", "HTTP/1.0", b"true"),
            "no content type, an expectation":
                (without_version, f"Content-Length: {len(without_version)}\r\nExpect: 100-continue\r\nConnection: close\r\n",
                 "HTTP/1.1", b"true"),
            "an empty body": (b"", "Content-Length: 0\r\nConnection: close\r\n", "HTTP/1.1", b"-32700"),
        }
        for name, (body, headers, version, answer) in cases.items():
            with self.subTest(name):
                status, reply = self.post(body, headers, version)
                self.assertEqual(status, 200, reply)
                self.assertIn(answer, reply)
        self.wait_for("REAL", {"A": 14})

    def test_connections_that_are_never_closed_keep_no_message_out(self):
        host, _, port = self.stack.http.rpartition(":")
        for _ in range(700):
            idle = socket.create_connection((host, int(port)), timeout=10)
            self.addCleanup(idle.close)
        self.assertTrue(self.stock("IDLE", "DELTA", [("A", 1)]).delivered)


if __name__ == "__main__":
    unittest.main()
