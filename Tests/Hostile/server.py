"""A server that does as it is told, wrong things above all."""

import contextlib
import os
import socket
import threading

import outcome
import wire
from peer import Endpoint


class Accepted(Endpoint):
    """A client's connection, seen from the server."""

    def __init__(self, connected):
        connected.setblocking(False)
        super().__init__(connected, skipped=len(wire.PREFACE))
        self.served = threading.Event()  # the server has nothing more to say

    def reaction(self):
        """What the client has to say once it has looked at everything that it was sent."""
        if all(self._ping_answered(payload) for payload in (b"hostile1", b"hostile2")) and self.go_away is None:
            return outcome.Reset(self.resets[1]) if 1 in self.resets else outcome.Ignored()
        return outcome.GoAway(self.go_away) if self.go_away else outcome.Closed()

    def _ping_answered(self, payload):
        return self.send(wire.ping(payload)) and self.wait(lambda: payload in self.answered, "the answer to a PING")

    def greet(self, *settings):
        """SETTINGS, and those of the client acknowledged. False when it leaves."""
        self.send(wire.settings(*settings))
        return self.wait(lambda: self.frames, "the client's SETTINGS") and self.send(wire.settings(flags=wire.ACK))

    def wait_for_request(self, stream=1):
        """Its headers are enough. False when the client leaves."""
        return self.wait(lambda: stream in self.fields, "a request")


class HostileServer:
    """with HostileServer(path, behave) as server: …

    `behave`: called with every connection, each on a thread of its own; the connection ends when it returns.
    """

    def __init__(self, path, behave):
        self.path, self.target = path, f"unix:{path}"
        self.connections = []
        self.errors = []
        self._behave = behave
        self._threads = []
        self._changed = threading.Condition()
        self._socket = socket.socket(socket.AF_UNIX)
        # In place at once, listening: whoever watches the folder connects as soon as it sees the name.
        self._socket.bind(path + ".new")
        self._socket.listen(64)
        os.rename(path + ".new", path)
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        self._socket.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(30)
        self._socket.close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.socket.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(30)
        if self.errors:
            raise self.errors[0]

    def _accept(self):
        while True:
            try:
                connected, _ = self._socket.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(Accepted(connected),), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection):
        with self._changed:
            self.connections.append(connection)
            self._changed.notify_all()
        try:
            with connection:
                self._behave(connection)
        except Exception as error:  # shown by the test that this server is part of
            self.errors.append(error)
        finally:
            connection.served.set()

    def wait_for_connections(self, count, timeout_s=30):
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.connections) >= count, timeout_s):
                raise AssertionError(f"{len(self.connections)} of {count} connections within {timeout_s} s")
