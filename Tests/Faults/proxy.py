"""Stands between two services, reads along, and acts at the very moment when a call or its answer passes."""

import os
import socket
import threading

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS = 0, 1
PADDED, PRIORITY = 0x8, 0x20
REQUEST, RESPONSE = "request", "response"


class CallProxy:
    """A Unix socket that leads to another one.

        with CallProxy(path, target) as proxy:
            proxy.arm(CONSUME, RESPONSE, lambda: lab.kill("inventory-1"))

    What triggers does not pass: its connection ends.
    """

    def __init__(self, path, target):
        self._path, self._target = path, target
        self._lock = threading.Lock()
        self._armed = None
        self._open = set()
        self.passed = threading.Condition(self._lock)
        self.triggered = 0

    def __enter__(self):
        if os.path.exists(self._path):
            os.unlink(self._path)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self._path)
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        with self._lock:
            _end(self._listener)  # wakes accept
            for end in self._open:
                _end(end)

    def arm(self, method, moment, act):
        """Calls `act`, once, when a call of `method` or the first message of its answer comes by."""
        with self._lock:
            self._armed = ("/" + method, moment, act)

    def wait(self, times, timeout_s=30):
        """Until it has triggered so often in all."""
        with self._lock:
            if not self.passed.wait_for(lambda: self.triggered >= times, timeout_s):
                raise AssertionError(f"{self._armed and self._armed[:2]} has not passed within {timeout_s} s")

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            if server.connect_ex(self._target) != 0:
                client.close()  # as the caller would find it without a proxy, nearly
                server.close()
                continue
            with self._lock:
                self._open |= {client, server}
            paths = {}
            for source, sink, frames in ((client, server, Frames(REQUEST, paths)), (server, client, Frames(RESPONSE, paths))):
                threading.Thread(target=self._pump, args=(source, sink, frames), daemon=True).start()

    def _pump(self, source, sink, frames):
        try:
            while data := source.recv(1 << 16):
                if any(self._triggers(frames.moment, path) for path in frames.feed(data)):
                    break
                sink.sendall(data)
        except OSError:
            pass  # one of both has been killed
        finally:
            with self._lock:
                self._open -= {source, sink}
            for end in (source, sink):
                _end(end)

    def _triggers(self, moment, path):
        with self._lock:
            if self._armed is None or self._armed[:2] != (path, moment):
                return False
            act, self._armed = self._armed[2], None
        act()
        with self._lock:
            self.triggered += 1
            self.passed.notify_all()
        return True


class Frames:
    """The calls that one direction of an HTTP/2 connection tells of."""

    def __init__(self, moment, paths):
        self.moment, self._paths = moment, paths  # stream → path
        self._buffer = b"" if moment == RESPONSE else None  # None: the preface comes first
        self._seen = b""
        self._decoder = hpack.Decoder()
        self._decoder.max_allowed_table_size = 1 << 16

    def feed(self, data):
        """The paths of calls that begin in these bytes, or that get the first message of their answer."""
        if self._buffer is None:
            self._seen += data
            if len(self._seen) < len(PREFACE):
                return []
            data, self._buffer = self._seen[len(PREFACE):], b""
        self._buffer += data
        found = []
        while len(self._buffer) >= 9:
            length = int.from_bytes(self._buffer[:3], "big")
            if len(self._buffer) < 9 + length:
                break
            kind, flags, stream = self._buffer[3], self._buffer[4], int.from_bytes(self._buffer[5:9], "big")
            payload, self._buffer = self._buffer[9 : 9 + length], self._buffer[9 + length:]
            if self.moment == REQUEST and kind == HEADERS:
                headers = dict(self._decoder.decode(_block(payload, flags)))
                self._paths[stream] = headers.get(":path", "")
                found.append(self._paths[stream])
            elif self.moment == RESPONSE and kind == DATA and stream in self._paths:
                found.append(self._paths.pop(stream))
        return found


def _block(payload, flags):
    """The header block of a HEADERS frame; the services write no CONTINUATION for headers as short as theirs."""
    padding = payload[0] if flags & PADDED else 0
    start = (1 if flags & PADDED else 0) + (5 if flags & PRIORITY else 0)
    return payload[start : len(payload) - padding]


def _end(end):
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it has ended already
    end.close()
