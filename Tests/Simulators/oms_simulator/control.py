"""How another process drives the simulator: JSON over HTTP on a Unix socket (a path) or on HOST:PORT.

    GET  /state                     endpoints, number of requests and deliveries
    GET  /requests, GET /deliveries
    GET  /messages                  what the OMS has taken: {id, path, method, params}
    POST /publish                   {method, params}                                       → deliveries
    POST /stock                     {aggregate_id, mode, created_on, stock, parts}          → deliveries
    POST /wait                      {timeout_s, method}: until somebody has registered, for that method if there is one
                                                                                            → the registration
    POST /faults                    {down: true|false} | {delay_s} | {status[, retry_after]} or {fault: html|redirect|error|
                                    half|close|reset, …} with times and path | {} clears them
"""

import http.client
import json
import os
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .faults import from_json


class Control:
    """Serves the control interface of an `Oms`."""

    def __init__(self, oms, address):
        self._oms = oms
        if "/" in address:
            if os.path.exists(address):
                os.unlink(address)  # left over from a run that was killed
            self._server = _UnixServer(address, _handler(self))
        else:
            host, _, port = address.rpartition(":")
            self._server = ThreadingHTTPServer((host, int(port)), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def get(self, path):
        oms = self._oms
        if path == "/state":
            endpoints = [{k: v for k, v in e.items() if k != "secret"} for e in oms.bus.endpoints()]
            counts = {"requests": len(oms.requests.all()), "deliveries": len(oms.bus.deliveries.all())}
            return {"url": oms.url, "endpoints": endpoints, **counts}
        if path == "/messages":
            return oms.received.all()
        if path == "/requests":
            return [entry.as_json() for entry in oms.requests.all()]
        if path == "/deliveries":
            return [entry.as_json() for entry in oms.bus.deliveries.all()]
        raise KeyError(path)

    def post(self, path, ask):
        oms = self._oms
        if path == "/publish":
            return [d.as_json() for d in oms.bus.publish(ask["method"], ask["params"])]
        if path == "/stock":
            sent = oms.publish_stock(
                ask["aggregate_id"], ask["mode"], ask["created_on"], ask["stock"], ask.get("parts", 1))
            return [d.as_json() for d in sent]
        if path == "/wait":
            endpoint = oms.bus.wait_for_registration(ask.get("timeout_s", 30), method=ask.get("method"))
            return {k: v for k, v in endpoint.items() if k != "secret"}
        if path == "/faults":
            return self._fault(ask)
        raise KeyError(path)

    def _fault(self, ask):
        if "down" in ask:
            (self._oms.down if ask["down"] else self._oms.up)()
        if "status" in ask or "fault" in ask:
            self._oms.faults.plan(from_json(ask), ask.get("times"), ask.get("path", "/"))
        if "delay_s" in ask:
            self._oms.faults.slow(ask["delay_s"])
        if not ask:
            self._oms.faults.clear()
            self._oms.up()
        return {}


class Client:
    """The other end of `Control`."""

    def __init__(self, address, timeout_s=120):
        self._address = address
        self._timeout_s = timeout_s

    def get(self, path):
        return self._ask("GET", path, None)

    def post(self, path, ask):
        return self._ask("POST", path, json.dumps(ask).encode())

    def _ask(self, verb, path, body):
        connection = _connection(self._address, self._timeout_s)
        try:
            connection.request(verb, path, body)
            response = connection.getresponse()
            answer = json.loads(response.read())
        except OSError as error:
            raise RuntimeError(f"no simulator answers at {self._address}: {error}") from None
        finally:
            connection.close()
        if response.status != 200:
            raise RuntimeError(answer["error"])
        return answer


def _connection(address, timeout_s):
    if "/" not in address:
        host, _, port = address.rpartition(":")
        return http.client.HTTPConnection(host, int(port), timeout=timeout_s)
    connection = http.client.HTTPConnection("localhost", timeout=timeout_s)

    def connect():
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(timeout_s)
        connection.sock.connect(address)

    connection.connect = connect
    return connection


class _UnixServer(ThreadingHTTPServer):
    address_family = socket.AF_UNIX

    def server_bind(self):
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "localhost", 0


def _handler(control):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self._answer(lambda: control.get(self.path))

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self._answer(lambda: control.post(self.path, json.loads(body or b"{}")))

        def _answer(self, work):
            try:
                status, answer = 200, work()
            except TimeoutError as error:
                status, answer = 504, {"error": str(error)}
            except (KeyError, TypeError, ValueError) as error:
                status, answer = 400, {"error": f"{type(error).__name__}: {error}"}
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def address_string(self):
            return "control"  # a Unix peer has no address to show

        def log_message(self, *_):
            pass

    return Handler
