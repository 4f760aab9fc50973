"""Faults look on the wire as their names say, and the history tells what happened."""

import http.client
import json
import os
import tempfile
import threading

from test_oms import Case, call
from oms_simulator import History
from oms_simulator import faults as fault
from oms_simulator.history import read

ADJUST = "magento.inventory.source_stock_management.adjust"
DELEGATE = "/delegate/oms"


def ask(oms, message_id="m-1", path=DELEGATE):
    """(status, headers, body), or the exception that ended the exchange."""
    connection = http.client.HTTPConnection(oms.url.removeprefix("http://"), timeout=10)
    try:
        body = json.dumps({"jsonrpc": "2.0", "id": message_id, "method": ADJUST, "params": {"adjustment": {}}})
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    except (OSError, http.client.HTTPException) as error:
        return error
    finally:
        connection.close()


class OnTheWire(Case):
    def test_messages_of_the_catalogue_are_taken(self):
        self.assertEqual(call(self.oms(), ADJUST, {}, DELEGATE)[1], {"jsonrpc": "2.0", "id": "1", "result": None})

    def test_message_without_the_token_that_the_bus_wants_is_refused(self):
        self.assertEqual(call(self.oms(client_id="shop", client_secret="x"), ADJUST, {}, DELEGATE)[0], 401)

    def test_answers_that_are_none(self):
        for planned, status, headers, start in [
            (fault.with_status(500), 500, {}, b'{"error_message"'),
            (fault.retry_after(503, 7), 503, {"Retry-After": "7"}, b"{"),
            (fault.html(), 200, {"Content-Type": "text/html; charset=utf-8"}, b"<!DOCTYPE html>"),
            (fault.redirect("http://127.0.0.1:1/"), 302, {"Location": "http://127.0.0.1:1/"}, b""),
            (fault.error("no"), 200, {}, b'{"jsonrpc": "2.0", "id": 1, "result": null, "error": "no"}'),
        ]:
            with self.subTest(planned.kind):
                oms = self.oms()
                oms.faults.plan(planned, times=1, path="/delegate")
                got = ask(oms)
                self.assertEqual((got[0], {name: got[1].get(name) for name in headers}), (status, headers))
                self.assertTrue(got[2].startswith(start), got[2])
                self.assertEqual(ask(oms)[0], 200)

    def test_answers_that_break_off(self):
        for planned, error in [
            (fault.half_an_answer(), http.client.IncompleteRead),
            (fault.closing(handled=True), http.client.RemoteDisconnected),
            (fault.closing(handled=False), http.client.RemoteDisconnected),
            (fault.resetting(handled=True), ConnectionResetError),
        ]:
            with self.subTest(planned.kind):
                oms = self.oms()
                oms.faults.plan(planned, times=1)
                self.assertIsInstance(ask(oms), error)
                self.assertEqual(ask(oms)[0], 200)

    def test_held_answers_come_when_the_faults_are_cleared(self):
        oms = self.oms()
        arrived, answers = threading.Event(), []
        oms.before_answer = lambda request: arrived.set()
        oms.faults.hold()
        asking = threading.Thread(target=lambda: answers.append(ask(oms)))
        asking.start()
        self.assertTrue(arrived.wait(10))
        self.assertEqual(answers, [])
        oms.faults.clear()
        asking.join(10)
        self.assertEqual(answers[0][0], 200)


class Told(Case):
    def history(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        return self.enterContext(History(os.path.join(folder, "oms.jsonl")))

    def test_received_messages_are_told_with_what_became_of_them(self):
        history = self.history()
        oms = self.oms(history=history)
        for number, planned in enumerate([None, fault.with_status(500), fault.half_an_answer(), fault.closing(handled=False)]):
            if planned is not None:
                oms.faults.plan(planned, times=1)
            ask(oms, f"m-{number}")
        told_last = threading.Event()
        oms.after_answer = lambda request: request.get("id") == "m-4" and told_last.set()
        call(oms, "x", {})  # none that the OMS takes
        ask(oms, "m-4")
        self.assertTrue(told_last.wait(10))
        told = [(e["id"], e["status"], e["taken"], e["whole"], e["fault"]) for e in read(history.path)]
        self.assertEqual(sorted(told), [
            ("m-0", 200, True, True, None),
            ("m-1", 500, False, True, "status 500"),
            ("m-2", 200, True, False, "half"),
            ("m-3", None, False, False, "close before"),
            ("m-4", 200, True, True, None),
        ])
        self.assertEqual({e["path"] for e in read(history.path)}, {DELEGATE})

    def test_line_that_a_kill_has_cut_does_not_count(self):
        history = self.history()
        history.add("kill", process="gateway")
        with open(history.path, "a") as file:
            file.write('{"event": "ki')
        self.assertEqual([e["process"] for e in read(history.path)], ["gateway"])
