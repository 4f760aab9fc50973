"""Faults that a test asks for, and how an answer goes wrong on the wire."""

import json
import socket
import struct
import threading
from dataclasses import dataclass, field

LOGIN_PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Please sign in</h1></body></html>"


@dataclass
class Fault:
    """What happens to a request in place of a proper answer."""

    kind: str
    status: int | None = None  # None: that of the proper answer
    headers: dict = field(default_factory=dict)
    body: bytes | None = None  # None: that of the proper answer
    # The bus has done what it was asked for, and only its answer goes wrong: the caller can't know, and has to ask again.
    handled: bool = False
    # How the bytes of the answer leave: "whole"; "half", then the connection ends; "none", it ends; "reset", it is reset.
    wire: str = "whole"

    def write(self, handler, status, body):
        """Answers on the connection of a BaseHTTPRequestHandler. True when the whole answer has left."""
        if self.wire in ("none", "reset"):
            handler.close_connection = True
            if self.wire == "reset":
                handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                handler.rfile.close()  # it holds the socket open
                handler.connection.close()
            return False
        body = body if self.body is None else self.body
        headers = {"Content-Type": "application/json", **self.headers, "Content-Length": str(len(body))}
        handler.send_response(status if self.status is None else self.status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        if self.wire == "half":
            handler.wfile.write(body[: len(body) // 2])
            handler.close_connection = True
            return False
        handler.wfile.write(body)
        return True


def with_status(code, headers=None, text=None):
    """An HTTP status with the stand-in's JSON."""
    message = {"error_message": text or f"fault on demand: {code}"}
    return Fault(f"status {code}", code, headers or {}, json.dumps(message).encode())


def retry_after(code, value):
    """429 or 503 with a Retry-After: seconds, or a date as HTTP writes it."""
    return with_status(code, {"Retry-After": str(value)})


def html(code=200):
    """A page for people, such as a proxy or a login wall answers with."""
    return Fault(f"html {code}", code, {"Content-Type": "text/html; charset=utf-8"}, LOGIN_PAGE)


def redirect(location, code=302):
    return Fault(f"redirect {code}", code, {"Location": location}, b"")


def error(value, code=200):
    """A JSON-RPC reply with that error: an object as in the standard, or a text as the Go stand-in writes it."""
    return Fault("error reply", code, {}, json.dumps({"jsonrpc": "2.0", "id": 1, "result": None, "error": value}).encode())


def half_an_answer():
    """The message is taken; half of the answer arrives."""
    return Fault("half", handled=True, wire="half")


def closing(handled):
    """The connection ends without an answer, before or after the message was taken."""
    return Fault("close after" if handled else "close before", handled=handled, wire="none")


def resetting(handled):
    """The same with a reset in place of an orderly end."""
    return Fault("reset after" if handled else "reset before", handled=handled, wire="reset")


def from_json(ask):
    """A fault by name, for those who drive the simulator from outside: {"fault": "half"}, {"status": 503, "retry_after": 7}."""
    name = ask.get("fault", "status")
    if name == "status":
        code = ask["status"]
        return retry_after(code, ask["retry_after"]) if "retry_after" in ask else with_status(code)
    made = {
        "html": lambda: html(ask.get("status", 200)),
        "redirect": lambda: redirect(ask["location"]),
        "error": lambda: error(ask["error"]),
        "half": half_an_answer,
        "close": lambda: closing(ask.get("handled", False)),
        "reset": lambda: resetting(ask.get("handled", False)),
    }
    if name not in made:
        raise ValueError(f"fault: {name!r} is not one of {', '.join(['status', *made])}")
    return made[name]()


class Faults:
    """Which requests go wrong, and how. Being down is not here: that closes the listening socket (`Oms.down`)."""

    def __init__(self):
        self._changed = threading.Condition()
        self._planned = []  # [fault, path prefix, how many are left or None]
        self._delay_s = 0.0
        self._held = None  # the path prefix of requests whose answers are held back

    def plan(self, fault, times=None, path="/"):
        """`fault` for requests under `path`; `times` of them, or all until `clear`."""
        with self._changed:
            self._planned.append([fault, path, times])

    def answer(self, status, times=None, path="/"):
        """Answer requests under `path` with that status instead of handling them."""
        self.plan(with_status(status), times, path)

    def slow(self, delay_s):
        """Wait that long before each answer."""
        with self._changed:
            self._delay_s = delay_s

    def hold(self, path="/"):
        """Answer no request under `path` until `clear`; they are read."""
        with self._changed:
            self._held = path

    def clear(self):
        with self._changed:
            self._planned.clear()
            self._delay_s = 0.0
            self._held = None
            self._changed.notify_all()

    @property
    def is_through(self):
        """Whether every fault with a number of times has happened so often."""
        with self._changed:
            return not any(times for _, _, times in self._planned)

    def wait(self, path, timeout_s=600):
        """The delay of a slow bus, or until an answer is no longer held back."""
        with self._changed:
            if self._delay_s:
                self._changed.wait_for(lambda: not self._delay_s, self._delay_s)
            self._changed.wait_for(lambda: self._held is None or not path.startswith(self._held), timeout_s)

    def take(self, path):
        """The fault that this request is to meet, or None."""
        with self._changed:
            for planned in self._planned:
                fault, prefix, times = planned
                if not path.startswith(prefix) or times == 0:
                    continue
                if times is not None:
                    planned[2] = times - 1
                return fault
            return None
