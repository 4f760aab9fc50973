"""What the OMS sends, good and bad, and what it gets for it."""

import http.client
import json
import socket
import unittest

import grpc
from bus import CREATED, STOCK, BusCase
from oms_simulator import snapshot
from oms_simulator.snapshots import UPDATED
from waiting import wait_until

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, FAILED = -32700, -32600, -32601, -32602, -32000


class Stock(BusCase):
    def test_snapshot_through_the_bus_is_read_back_by_grpc(self):
        delivery = self.stock("BUS", "FULL", [("MUG", 14), ("CUP", "15"), ("BOOK", 0, True), ("Tasse ß 茶", 1)])
        self.assertTrue(delivery.delivered, delivery)
        self.assertEqual(self.quantities("BUS"), {"MUG": 14, "CUP": 15, "BOOK": None, "Tasse ß 茶": 1})

    def test_late_part_of_a_full_run_does_not_overwrite_a_newer_delta(self):
        self.stock("LATE", "FULL", [("A", 1), ("B", 1)], "2024-02-03T04:00:00+00:00")
        self.stock("LATE", "DELTA", [("C", 7)], "2024-02-03 04:01:00")
        late = self.stock("LATE", "FULL", [("C", 25), ("D", 4)], "2024-02-03T04:00:00Z")
        self.assertEqual(self.quantities("LATE"), {"A": 1, "B": 1, "C": 7, "D": 4})
        self.assertEqual((late.result["applied"], late.result["stale"]), (1, 1))

    def test_equal_timestamp_is_applied(self):
        self.stock("EQUAL", "DELTA", [("A", 1)])
        self.stock("EQUAL", "DELTA", [("A", 2)])
        self.assertEqual(self.quantities("EQUAL"), {"A": 2})

    def test_offset_of_a_date_counts(self):
        self.stock("ZONE", "DELTA", [("A", 1)], "2024-02-03T04:00:00+00:00")
        self.stock("ZONE", "DELTA", [("A", 2)], "2024-02-03T05:30:00+02:00")  # 03:30 UTC
        self.assertEqual(self.quantities("ZONE"), {"A": 1})

    def test_nonzero_sets_what_it_leaves_out_to_0_but_for_unlimited_rows(self):
        self.stock("NONZERO", "FULL", [("A", 1), ("B", 2), ("E", 0, True)], "2024-02-03T04:00:00Z")
        self.stock("NONZERO", "NONZERO", [("B", 5)], "2024-02-03T05:00:00Z")
        self.assertEqual(self.quantities("NONZERO"), {"A": 0, "B": 5, "E": None})

    def test_aggregates_do_not_block_each_other(self):
        self.stock("ONE", "DELTA", [("A", 1)], "2024-02-03T05:00:00Z")
        self.stock("TWO", "DELTA", [("A", 2)], "2024-02-03T04:00:00Z")
        self.assertEqual((self.quantities("ONE"), self.quantities("TWO")), ({"A": 1}, {"A": 2}))

    def test_10_000_rows_are_taken_and_10_001_are_not(self):
        self.assertTrue(self.stock("MAX", "FULL", [(f"S{n}", n) for n in range(10_000)]).delivered)
        self.assertEqual(len(self.quantities("MAX")), 10_000)
        refused = self.stock("OVER", "FULL", [(f"S{n}", n) for n in range(10_001)])
        self.assertEqual((refused.status, refused.error["code"]), (200, INVALID_PARAMS))
        self.assertIn("10001", refused.error["message"].replace(" ", ""))
        self.assertEqual(self.quantities("OVER"), {})

    def test_fields_that_nobody_knows_and_nulls_are_ignored(self):
        params = snapshot("EXTRA", "DELTA", CREATED, [
            {"sku": "A", "quantity": 1, "unlimited": None, "inflight_backorders": 3, "colour": {"deep": [1, 2]}}])
        params["snapshot"]["aggregate_name"] = "x"
        self.assertTrue(self.send(self.message(params)).delivered)
        self.assertEqual(self.quantities("EXTRA"), {"A": 1})

    def test_envelope_without_version_and_with_any_id_is_answered_with_that_id(self):
        for message_id in ("d-7001", 17, None):
            with self.subTest(message_id):
                body = self.message(snapshot("ENVELOPE", "DELTA", CREATED, [("A", 1)]), message_id=message_id)
                del body["jsonrpc"]
                body["client"] = "go"
                reply = self.send(body)
                self.assertTrue(reply.delivered, reply)
                self.assertEqual(reply.reply["id"], message_id)

    def test_message_is_timed_in_the_report(self):
        self.stock("TIMED", "DELTA", [("A", 1)])
        report = self.client.call("omsconnector.v1.ReportService/GetTimingReport", {"kind": "ENDPOINT_KIND_BUS_METHOD"})
        found = [e for e in report["endpoints"] if e["endpoint"] == UPDATED]
        self.assertEqual([e["service"] for e in found], ["inventory"])
        self.assertGreater(found[0]["count"], 0)
        self.assertGreater(found[0]["average_ms"], 0)
        self.assertLessEqual(found[0]["p50_ms"], found[0]["p99_ms"])
        self.assertTrue(found[0]["history"])


class BadInput(BusCase):
    def good(self):
        return snapshot("BAD", "DELTA", CREATED, [("A", 1)])

    def changed(self, **changes):
        """The good snapshot with other fields; None takes a field away."""
        fields = {**self.good()["snapshot"], **changes}
        return {"snapshot": {name: value for name, value in fields.items() if value is not None}}

    def tearDown(self):
        # Whatever came: nothing of it was stored, and the next message is taken.
        self.assertEqual(self.quantities("BAD"), {})
        self.assertTrue(self.stock("ALIVE", "DELTA", [("A", 1)]).delivered)

    def test_envelope_that_breaks_the_rules(self):
        for body, codes in [
            (b'{"jsonrpc":"2.0","id":1,"method":"x","params":{', (PARSE_ERROR,)),
            (b"", (PARSE_ERROR, INVALID_REQUEST)),
            (b"\xff\xfe", (PARSE_ERROR,)),
            (b'[{"jsonrpc":"2.0","id":1,"method":"%s","params":{}}]' % UPDATED.encode(), (INVALID_REQUEST,)),
            (b'"text"', (INVALID_REQUEST,)),
            (b'{"jsonrpc":"2.0","id":1,"params":{}}', (INVALID_REQUEST,)),
            (b'{"jsonrpc":"2.0","id":1,"method":7,"params":{}}', (INVALID_REQUEST,)),
            (b'{"jsonrpc":"2.0","id":1,"method":"%s","params":[]}' % UPDATED.encode(), (INVALID_PARAMS,)),
            (b'{"jsonrpc":"2.0","id":1,"method":"no.such.method","params":{}}', (METHOD_NOT_FOUND,)),
            (b'{"jsonrpc":"2.0","id":1,"method":"%sX","params":{}}' % UPDATED.encode(), (METHOD_NOT_FOUND,)),
        ]:
            with self.subTest(body):
                delivery = self.send(body)
                self.assertEqual(delivery.status, 200)
                self.assertIn(delivery.error["code"], codes, delivery.error)
                self.assertTrue(delivery.error["message"])

    def test_message_that_is_wrong_is_named_with_its_value_and_what_is_allowed(self):
        for params, words in [
            (self.changed(mode="PARTIAL"), ["BAD", "PARTIAL", "FULL", "DELTA", "NONZERO"]),
            (self.changed(mode=None), ["BAD", "mode"]),
            (self.changed(mode=7), ["mode"]),
            (self.changed(aggregate_id=None), ["aggregate_id"]),
            (self.changed(aggregate_id=""), ["aggregate_id"]),
            (self.changed(created_on="yesterday"), ["created_on", "yesterday"]),
            (self.changed(created_on=None), ["created_on"]),
            (self.changed(created_on="2024-13-03T04:05:06Z"), ["created_on", "2024-13-03"]),
            (self.changed(stock="A"), ["stock"]),
            ({"snapshot": []}, ["snapshot"]),
            ({}, ["snapshot"]),
        ]:
            with self.subTest(params):
                delivery = self.send(self.message(params))
                self.assertEqual((delivery.status, delivery.error["code"]), (200, INVALID_PARAMS), delivery.error)
                for word in words:
                    self.assertIn(word, delivery.error["message"])

    def test_bad_rows_never_sink_the_good_ones_and_are_named(self):
        rows = [("GOOD", 4), ("", 1), {"sku": "MISSING"}, ("NULL", None), ("LOW", -7), ("TEXT", "many"), ("HALF", 1.5),
                ("HUGE", "99999999999999999999"), ("ALSO GOOD", "5")]
        delivery = self.stock("ROWS", "DELTA", rows)
        self.assertTrue(delivery.delivered, delivery)
        self.assertEqual(self.quantities("ROWS"), {"GOOD": 4, "LOW": 0, "ALSO GOOD": 5})
        self.assertEqual([delivery.result[name] for name in ("applied", "clamped", "invalid")], [2, 1, 6])
        self.assertEqual([row["sku"] for row in delivery.result["clamped_rows"]], ["LOW"])
        self.assertEqual(
            [row.get("sku", "") for row in delivery.result["invalid_rows"]], ["", "MISSING", "NULL", "TEXT", "HALF", "HUGE"])
        self.assertIn("many", json.dumps(delivery.result["invalid_rows"]))

    def test_signature_that_is_missing_or_wrong_is_401(self):
        body = self.message(self.good())
        for signature in ("", "sha1=" + "0" * 40, "sha1=", "nonsense", "sha1=" + "0" * 4000):
            with self.subTest(signature[:10]):
                self.assertEqual(self.send(body, signature=signature).status, 401)

    def test_signature_is_checked_before_anything_else(self):
        self.assertEqual(self.send(b"{", signature="").status, 401)

    def test_10_000_levels_of_nesting(self):
        for opening, closing in (("[", "]"), ('{"a":', "}")):
            with self.subTest(opening):
                deep = opening * 10_000 + "1" + closing * 10_000
                body = f'{{"jsonrpc":"2.0","id":1,"method":"{UPDATED}","params":{{"snapshot":{deep}}}}}'.encode()
                delivery = self.send(body)
                self.assertEqual(delivery.status, 200)
                self.assertIn(delivery.error["code"], (PARSE_ERROR, INVALID_REQUEST, INVALID_PARAMS))

    def test_message_of_5_mib_is_refused_with_413(self):
        # Row names are long enough to reach the size within the allowed number of rows.
        rows = [(f"{n:0600}", 1) for n in range(9_000)]
        delivery = self.stock("BAD", "DELTA", rows)
        self.assertGreater(sum(len(sku) for sku, _ in rows), 5 << 20)
        self.assertEqual(delivery.status, 413, delivery)

    def test_other_verbs_and_paths(self):
        for verb, path, statuses in [("GET", "/service-bus", (405,)), ("POST", "/", (404,)), ("PUT", "/service-bus", (405,))]:
            with self.subTest(verb=verb, path=path):
                connection = http.client.HTTPConnection(self.stack.http, timeout=10)
                self.addCleanup(connection.close)
                connection.request(verb, path, b"{}")
                self.assertIn(connection.getresponse().status, statuses)

    def test_pages_for_operators_are_on_the_admin_port_alone(self):
        for path in ("/healthz", "/readyz"):
            with self.subTest(path):
                self.assertEqual(self.status(self.stack.admin, path), 200)
        for path in ("/healthz", "/readyz", "/metrics", "/report", "/"):
            with self.subTest(path):
                self.assertEqual(self.status(self.stack.http, path), 404)
        self.assertEqual(self.status(self.stack.admin, "/service-bus"), 404)

    def status(self, address, path):
        connection = http.client.HTTPConnection(address, timeout=10)
        self.addCleanup(connection.close)
        connection.request("GET", path)
        return connection.getresponse().status

    def test_clients_that_stop_in_the_middle_stop_nobody_else(self):
        host, _, port = self.stack.http.rpartition(":")
        for start in (b"", b"POST /service-bus HTTP/1.1\r\nHost: x\r\n", b"POST /service-bus HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"):
            for _ in range(20):
                idle = socket.create_connection((host, int(port)), timeout=10)
                self.addCleanup(idle.close)
                idle.sendall(start)
        self.assertTrue(self.stock("ALIVE", "DELTA", [("A", 1)]).delivered)


class ServiceDown(BusCase):
    def bring_back(self):
        """The gateway tries a lost replica again after a pause of its own, 2 s at most."""
        self.stack.inventory.start().wait_healthy()
        wait_until(lambda: self.stock("BACK", "DELTA", [("A", 1)]).delivered, "a delivery after inventory is back")

    def test_message_for_a_service_that_is_down_is_503_and_taken_after_it_is_back(self):
        self.assertTrue(self.stock("DOWN", "DELTA", [("A", 1)]).delivered)
        self.stack.inventory.kill()
        refused = self.stock("DOWN", "DELTA", [("A", 2)])
        self.assertEqual((refused.status, refused.error["code"]), (503, FAILED), refused)
        self.bring_back()
        self.assertTrue(self.stock("DOWN", "DELTA", [("A", 3)]).delivered)
        self.assertEqual(self.quantities("DOWN"), {"A": 3})

    def test_call_while_the_service_is_down_is_unavailable(self):
        self.stack.inventory.kill()
        self.addCleanup(self.bring_back)
        with self.assertRaises(grpc.RpcError) as caught:
            self.client.call(f"{STOCK}/GetStock", {"aggregate_id": "A", "sku": "B"})
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAVAILABLE)


class WithoutSignatures(BusCase):
    OPTIONS = {"oms_require_signature": "false"}

    def test_unsigned_messages_are_taken_when_that_is_configured(self):
        body = self.message(snapshot("UNSIGNED", "DELTA", CREATED, [("A", 1)]))
        self.assertTrue(self.send(body, signature="").delivered)


if __name__ == "__main__":
    unittest.main()
