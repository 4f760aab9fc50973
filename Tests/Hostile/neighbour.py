"""A well-behaved client: one call after the other on a connection of its own until its standard input ends.

    neighbour.py TARGET      writes a line for each call: when it began and how long it took, in monotonic ns; or what failed

A process of its own, so that its times are those of the server and not of an attacker in the same interpreter.
"""

import select
import sys
import time

import h2.config
import h2.connection
import h2.events

import peer
import wire

DEADLINE_S = 20
PAUSE_S = 0.002  # it is there to measure, not to load
PAYLOAD = b"neighbour" * 10


class Client:
    def __init__(self, target):
        self._socket = peer.connect(target)
        self._socket.settimeout(DEADLINE_S)
        self._http = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self._http.initiate_connection()
        self._socket.sendall(self._http.data_to_send())

    def call(self):
        """The bytes that came back; an exception when the call has not ended well within its deadline."""
        stream = self._http.get_next_available_stream_id()
        self._http.send_headers(stream, [*wire.PSEUDO, *wire.REGULAR])
        self._http.send_data(stream, wire.message(PAYLOAD), end_stream=True)
        self._socket.sendall(self._http.data_to_send())
        got, fields, deadline = b"", {}, time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            raw = self._socket.recv(65_536)
            if not raw:
                raise ConnectionError("the server has closed the connection")
            for event in self._http.receive_data(raw):
                if isinstance(event, (h2.events.ConnectionTerminated, h2.events.StreamReset)):
                    raise ConnectionError(str(event))
                if isinstance(event, (h2.events.ResponseReceived, h2.events.TrailersReceived)):
                    fields.update(event.headers)
                elif isinstance(event, h2.events.DataReceived):
                    got += event.data
                    self._http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    if fields.get("grpc-status") != "0":
                        raise ValueError(f"status {fields}")
                    return got[5:]
            self._socket.sendall(self._http.data_to_send())
        raise TimeoutError(f"no answer within {DEADLINE_S} s")


def main(target):
    client = Client(target)
    while not select.select([sys.stdin], [], [], PAUSE_S)[0]:
        began = time.monotonic_ns()
        try:
            if client.call() != PAYLOAD:
                raise ValueError("the answer is not what was sent")
        except Exception as error:  # whatever it is, the tests want to know
            print(f"failed after {(time.monotonic_ns() - began) / 1e9:.3f} s: {error!r}", flush=True)
            return
        print(began, time.monotonic_ns() - began, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
