"""The simulator as a whole: the bus behind HTTP, with faults."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler

from .bus import OWN, Bus, Options
from .faults import Fault, Faults
from .messages import ACCEPTED, parsed
from .received import Received
from .recording import Recorded, Recording
from .server import Server
from .snapshots import UPDATED, snapshot_parts

MAX_BODY = 64 << 20  # bytes


class Oms:
    """An OMS on one TCP address.

        with Oms(client_id="shop", client_secret="s") as oms:
            oms.bus.wait_for_registration(10)
            oms.publish_stock("EU-WEB", "FULL", "2024-02-03T04:05:06+00:00", [("MUG-BLUE", 14)])
    """

    def __init__(self, listen="127.0.0.1:0", history=None, **options):
        """`history`: a `History` that gets every message, sent or received. `options`: those of `Options`."""
        host, _, port = listen.rpartition(":")
        self._address = (host, int(port))
        self.history = history
        # Called with each JSON-RPC request, for tests that act at that very moment.
        self.before_answer = self.after_answer = lambda request: None
        self.bus = Bus(Options(**options))
        self.faults = Faults()
        self.requests = Recording()
        self.received = Received()
        self._server = None
        self._lock = threading.Lock()

    @property
    def url(self):
        return f"http://{self._address[0]}:{self._address[1]}"

    def __enter__(self):
        self.up()
        return self

    def __exit__(self, *_):
        self.down()

    def up(self):
        """Starts to listen; harmless when it does already. The port stays the same over down and up."""
        with self._lock:
            if self._server is None:
                self._server = Server(self._address, _handler(self))
                self._address = self._server.server_address[:2]
                threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def down(self):
        """Closes the listening socket: connections are refused until `up`."""
        with self._lock:
            server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()

    def publish_stock(self, aggregate_id, mode, created_on, rows, parts=1, **delivery):
        """Sends a snapshot, in parts if asked, one after the other. Returns the deliveries of all parts in order."""
        messages = snapshot_parts(aggregate_id, mode, created_on, rows, parts)
        return [sent for params in messages for sent in self.bus.publish(UPDATED, params, **delivery)]

    def handle(self, verb, path, headers, body):
        """(status, answer or None, fault or None) of one request. What is answered in place of a handled request is up to the
        fault."""
        self.faults.wait(path)
        fault = self.faults.take(path)
        if fault is not None and not fault.handled:
            return fault.status, None, fault
        return *self._proper(verb, path, headers, body), fault

    def _proper(self, verb, path, headers, body):
        if verb != "POST":
            return 405, None
        if path == "/oauth/token":
            return self.bus.issue_token(headers, body)
        if path != "/" and path != "/events" and not path.startswith(("/remote/", "/delegate/")):
            return 404, None
        if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return 415, {"error_message": "Content-Type must be application/json"}
        if self._needs_token(body) and not self.bus.authorized(headers):
            return 401, {"error_message": "a bearer token is needed"}
        return self.bus.call(body)

    @staticmethod
    def _needs_token(body):
        method = parsed(body).get("method")
        return method in OWN or method in ACCEPTED

    def note(self, seen, request, answer, fault, whole):
        """Writes a received message into the history."""
        if self.history is None or request.get("method") not in ACCEPTED:
            return
        taken = _taken(answer)
        self.history.add(
            "received", received_ns=seen.at_ns, answer_ns=seen.answer_ns, path=seen.path, headers=seen.as_json()["headers"],
            id=request.get("id"), method=request["method"], params=request.get("params"), status=seen.status,
            fault=fault.kind if fault else None, taken=taken, whole=whole)


def _taken(answer):
    return isinstance(answer, dict) and "result" in answer and not answer.get("error")


def _handler(oms):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        timeout = 60

        def answer(self):
            length = int(self.headers.get("Content-Length") or 0)
            if length > MAX_BODY:
                self.close_connection = True
                self.reply(413, None)
                return
            body = self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            seen = Recorded(self.command, self.path, headers, body)
            request = parsed(body)
            oms.before_answer(request)
            status, answer, fault = oms.handle(self.command, self.path, headers, body)
            seen.status = status if fault is None or fault.status is None else fault.status
            oms.requests.add(seen)
            if request.get("method") in ACCEPTED and _taken(answer):
                oms.received.add(seen.path, request)
            seen.answer_ns = time.monotonic_ns()
            whole = self.reply(status, answer, fault)
            oms.note(seen, request, answer, fault, whole)
            oms.after_answer(request)

        do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = answer

        def reply(self, status, answer, fault=None):
            """True when the whole answer has left."""
            body = b"" if answer is None else json.dumps(answer).encode()
            try:
                return (fault or Fault("none")).write(self, status, body)
            except OSError:
                self.close_connection = True  # the caller has gone; nobody is left to tell
                return False

        def log_message(self, *_):
            pass  # requests are recorded

    return Handler
