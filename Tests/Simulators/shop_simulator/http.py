"""The shop on its socket: HTTP/1.1 with kept connections, a thread each."""

import select
import threading
from http.server import BaseHTTPRequestHandler

from oms_simulator.faults import Fault
from oms_simulator.recording import Recorded
from oms_simulator.server import Server

from .faults import TIMEOUT

MAX_BODY = 64 << 20  # bytes
MAX_KEPT_BODY = 64 << 10  # bytes of a body that the record of requests keeps
HANGS_S = 600  # how long a time-out keeps a connection that its caller does not end


class Listener:
    """Listens on one address; the port stays the same over down and up."""

    def __init__(self, shop, listen):
        host, _, port = listen.rpartition(":")
        self._shop = shop
        self._address = (host, int(port))
        self._server = None
        self._lock = threading.Lock()

    @property
    def url(self):
        return f"http://{self._address[0]}:{self._address[1]}"

    def up(self):
        with self._lock:
            if self._server is None:
                self._server = Server(self._address, _handler(self._shop))
                self._address = self._server.server_address[:2]
                threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def down(self):
        with self._lock:
            server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()


def _note(shop, seen, status, text, fault):
    """Writes a call that may have changed something into the history. `status`: what the shop has done, whatever is
    answered."""
    if shop.history is not None and seen.verb != "GET":
        shop.history.add(
            "received", received_ns=seen.at_ns, verb=seen.verb, path=seen.path,
            body=seen.body.decode("utf-8", "replace"),
            status=status, answer=text.decode("utf-8", "replace")[:MAX_KEPT_BODY], fault=fault.kind if fault else None,
            carried_out=(fault is None or fault.handled) and status in (200, 202))


def _handler(shop):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        timeout = 60
        wbufsize = -1  # headers and body leave together

        def handle_expect_100(self):
            more = super().handle_expect_100()
            self.wfile.flush()  # the caller waits for it
            return more

        def answer(self):
            if self.headers.get("Transfer-Encoding"):
                self._refuse(411)  # no caller of this shop sends a body of unknown length
                return
            length = int(self.headers.get("Content-Length") or 0)
            if length > MAX_BODY:
                self._refuse(413)
                return
            body = self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, text, fault = shop.dispatch.handle(self.command, self.path, headers, body)
            seen = Recorded(self.command, self.path, headers, body[:MAX_KEPT_BODY])
            seen.status = status if fault is None or fault.status is None else fault.status
            shop.requests.add(seen)
            _note(shop, seen, status, text, fault)
            try:
                if fault is not None and fault.kind == TIMEOUT:
                    select.select([self.connection], [], [], HANGS_S)  # readable once the caller has gone
                (fault or Fault("none")).write(self, status, text)
                if not self.wfile.closed:
                    self.wfile.flush()
            except (OSError, ValueError):
                self.close_connection = True  # the caller has gone; nobody is left to tell

        def _refuse(self, status):
            self.close_connection = True
            Fault("refused", status, body=b"").write(self, status, b"")
            self.wfile.flush()

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer

        def log_message(self, *_):
            pass  # requests are recorded

    return Handler
