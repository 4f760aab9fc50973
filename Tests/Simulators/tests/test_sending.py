"""The simulator delivers as real buses do: in order per key, again until it is answered, twice at times."""

import collections
import json
import os
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from test_oms import METHOD, Case
from oms_simulator import History, Manner, Sender
from oms_simulator.history import read

KEYS = ("A", "B", "C")


class Receiver:
    """Answers what `answer(message, attempt)` gives: (status, reply), or None to end the connection."""

    def __init__(self, answer=None):
        answer = answer or (lambda message, attempt: (200, {"result": True}))
        seen = self.seen = []  # (key, number) in the order of arrival
        attempts, lock = collections.Counter(), threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    seen.append((message["params"]["key"], message["params"]["number"]))
                    attempts[message["id"]] += 1
                    given = answer(message, attempts[message["id"]])
                if given is None:
                    self.close_connection = True
                    return
                body = json.dumps({"jsonrpc": "2.0", "id": message["id"], **given[1]}).encode()
                try:
                    self.send_response(given[0])
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    self.close_connection = True

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request, client_address):
                pass  # a bus that hangs up is part of the tests

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.endpoint = {"url": f"http://127.0.0.1:{self._server.server_port}/service-bus", "secret": "s"}

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class Sending(Case):
    def deliver(self, receiver, messages=60, **manner):
        """The history of so many messages, a third of them each key's."""
        self.addCleanup(receiver.close)
        folder = self.enterContext(tempfile.TemporaryDirectory())
        history = self.enterContext(History(os.path.join(folder, "oms.jsonl")))
        with Sender(receiver.endpoint, Manner(**manner), history, seed=5) as sender:
            for number in range(messages):
                key = KEYS[number % len(KEYS)]
                sender.send(f"d-{number}", METHOD, key, {"key": key, "number": number})
            sender.wait_until_done(30)
        self.assertEqual(sender.waiting, 0)
        return read(history.path)

    def of_key(self, receiver, key):
        return [number for k, number in receiver.seen if k == key]

    def test_each_key_in_order(self):
        receiver = Receiver()
        told = self.deliver(receiver)
        for key in KEYS:
            self.assertEqual(self.of_key(receiver, key), sorted(self.of_key(receiver, key)), key)
        self.assertEqual([e["outcome"] for e in told], ["acknowledged"] * 60)
        self.assertGreater(len({e["connection"] for e in told}), 1)

    def test_what_is_not_answered_is_sent_again_with_the_same_bytes_before_its_key_goes_on(self):
        refusals = {1: None, 2: (503, {}), 3: (200, {"result": True})}
        receiver = Receiver(lambda message, attempt: refusals[attempt])
        told = self.deliver(receiver)
        self.assertEqual([e["outcome"] for e in told if e["id"] == "d-7"], ["lost", "unavailable", "acknowledged"])
        self.assertEqual(len({e["body"] for e in told if e["id"] == "d-7"}), 1)
        for key in KEYS:
            self.assertEqual(self.of_key(receiver, key), sorted(self.of_key(receiver, key)), key)

    def test_error_of_the_receiver_is_final(self):
        told = self.deliver(Receiver(lambda message, attempt: (200, {"error": {"code": -32602, "message": "no"}})))
        self.assertEqual([e["outcome"] for e in told], ["refused"] * 60)

    def test_duplicates_come_after_an_acknowledgement(self):
        told = self.deliver(Receiver(), duplicate=0.5)
        again = [e for e in told if e["duplicate"]]
        self.assertGreater(len(again), 10)
        for event in again:
            first = next(e for e in told if e["id"] == event["id"])
            self.assertFalse(first["duplicate"])
            self.assertLess(first["at_ns"], event["sent_ns"])

    def test_hanging_up_loses_the_answer_and_not_the_message(self):
        told = self.deliver(Receiver(), hang_up=0.3)
        self.assertGreater(len([e for e in told if "hangs up" in e["failure"]]), 5)
        self.assertEqual(len({e["id"] for e in told if e["outcome"] == "acknowledged"}), 60)

    def test_overtaking_sends_the_next_of_a_key_beside_the_one_before(self):
        overlapping = 0
        told = sorted(self.deliver(Receiver(), messages=300, overtake=0.5), key=lambda e: e["sent_ns"])
        for key in KEYS:
            mine = [e for e in told if e["key"] == key]
            overlapping += sum(later["sent_ns"] < earlier["at_ns"] for earlier, later in zip(mine, mine[1:]))
        self.assertGreater(overlapping, 10)

    def test_idle_connections_stay_open(self):
        receiver = Receiver()
        self.addCleanup(receiver.close)
        with Sender(receiver.endpoint, Manner(idle=20)) as sender:
            sender.send("d-1", METHOD, "A", {"key": "A", "number": 1})
            sender.wait_for(1, 30)
            self.assertEqual(len([c for c in sender._idle if c.fileno() >= 0]), 20)
