"""Our client against servers that break the rules: the gateway, which passes calls on, and omsctl."""

import functools
import gzip
import os
import subprocess
import tempfile
import unittest
from dataclasses import dataclass

import grpc
import wire
from attack import MIB, forget_peak, memory_kib
from bus import STOCK
from outcome import Closed, GoAway, Ignored, Reset, connection_error, shown, stream_error
from reflected import Reflected
from server import HostileServer
from stack import BIN, Stack, clean_environment

GET_STOCK = f"{STOCK}/GetStock"
REQUEST = {"aggregate_id": "A", "sku": "S"}
CALL_S = 2
GROWTH_MIB = 32

UNAVAILABLE, INTERNAL, EXHAUSTED, LATE, UNKNOWN, UNIMPLEMENTED = (
    grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.UNKNOWN, grpc.StatusCode.UNIMPLEMENTED)
# The connection broke (statuscodes.md); an error that our side found may also be told by its own code (PROTOCOL-HTTP2.md).
BROKEN = frozenset({UNAVAILABLE, INTERNAL, EXHAUSTED})
OK = frozenset({grpc.StatusCode.OK})
PROTOCOL, SIZE, FLOW, COMPRESSION = (connection_error(code) for code in (
    wire.PROTOCOL_ERROR, wire.FRAME_SIZE_ERROR, wire.FLOW_CONTROL_ERROR, wire.COMPRESSION_ERROR))
CALM = GoAway(wire.ENHANCE_YOUR_CALM)
ANY_END = frozenset({Closed(), Ignored(), Reset(wire.CANCEL), Reset(wire.NO_ERROR)})

RESPONSE = wire.block((":status", "200"), ("content-type", "application/grpc"))
STOCK_OF_S = bytes.fromhex("0a030a0153")  # GetStockResponse{stock{sku "S"}}
TRAILERS = wire.headers(wire.block(("grpc-status", "0")), end=True)
ANSWER = wire.headers(RESPONSE) + wire.data(wire.message(STOCK_OF_S)) + TRAILERS


@dataclass(frozen=True)
class ServerCase:
    """What a server sends once a request is there: bytes, or a function of the connection.

    `statuses`: what the call may end with. `reactions`: what our client may do about the connection or about stream 1.
    """

    name: str
    section: str
    answers: object
    statuses: frozenset
    reactions: frozenset = ANY_END
    settings: tuple = ()

    def behave(self, connection, found):
        """Appends to `found` what the client does about it."""
        if connection.greet(*self.settings) and connection.wait_for_request():
            if callable(self.answers):
                self.answers(connection)
            else:
                connection.send(self.answers)
            found.append(connection.reaction())
            connection.served.set()
            connection.wait_closed()


def broken(name, section, raw, reactions, statuses=BROKEN):
    return ServerCase(name, section, raw, frozenset(statuses), frozenset(reactions))


def settings(name, section, *pairs, reactions):
    return broken(f"SETTINGS: {name}", section, wire.settings(*pairs), reactions)


GZIPPED = wire.block((":status", "200"), ("content-type", "application/grpc"), ("grpc-encoding", "gzip"))
BOMB = gzip.compress(bytes(64 * MIB))

FRAMES = [
    settings("push is enabled", "§6.5.2", (wire.ENABLE_PUSH, 1), reactions=PROTOCOL),
    settings("a window over 2^31-1", "§6.5.2", (wire.INITIAL_WINDOW_SIZE, 2**31), reactions=FLOW),
    settings("frames that are too small", "§6.5.2", (wire.MAX_FRAME_SIZE, 100), reactions=PROTOCOL),
    broken("SETTINGS of 5 bytes", "§6.5", wire.frame(wire.SETTINGS, bytes(5)), SIZE),
    broken("WINDOW_UPDATE by 0 of the connection", "§6.9", wire.window_update(0), PROTOCOL),
    broken("WINDOW_UPDATE of the connection beyond 2^31-1", "§6.9.1", wire.window_update(wire.MAX_WINDOW), FLOW),
    broken("WINDOW_UPDATE of the stream beyond 2^31-1", "§6.9.1", wire.window_update(wire.MAX_WINDOW, 1),
           stream_error(wire.FLOW_CONTROL_ERROR)),
    broken("WINDOW_UPDATE by 0 of the stream", "§6.9", wire.window_update(0, 1), stream_error(wire.PROTOCOL_ERROR)),
    broken("PING of 7 bytes", "§6.7", wire.ping(bytes(7)), SIZE),
    broken("PUSH_PROMISE", "§8.4", wire.frame(wire.PUSH_PROMISE, b"\0\0\0\2" + wire.REQUEST, 1, wire.END_HEADERS),
           PROTOCOL),
    broken("HEADERS on a stream that nobody has opened", "§5.1", wire.headers(RESPONSE, 7), PROTOCOL),
    broken("HEADERS on a stream of the server's", "§5.1", wire.headers(RESPONSE, 2), PROTOCOL),
    broken("DATA on a stream that nobody has opened", "§5.1", wire.data(b"x", 7), PROTOCOL),
    broken("RST_STREAM on a stream that nobody has opened", "§6.4", wire.reset(stream=7), PROTOCOL),
    broken("WINDOW_UPDATE on a stream that nobody has opened", "§5.1", wire.window_update(1, 7), PROTOCOL),
    broken("DATA before HEADERS", "§8.1", wire.data(wire.message(STOCK_OF_S)), stream_error(wire.PROTOCOL_ERROR)),
    broken("DATA of 16 385 bytes", "§4.2", wire.headers(RESPONSE) + wire.data(bytes(wire.MAX_FRAME + 1)),
           stream_error(wire.FRAME_SIZE_ERROR)),
    broken("a frame of 2^24-1 bytes", "§4.2", wire.headers(RESPONSE) + wire.data(length=2**24 - 1),
           stream_error(wire.FRAME_SIZE_ERROR)),
    broken("DATA padded by more than its length", "§6.1",
           wire.headers(RESPONSE) + wire.data(b"\x05abc", flags=wire.PADDED), PROTOCOL),
    broken("CONTINUATION of nothing", "§6.10", wire.continuation(end=True), PROTOCOL),
    broken("a PING inside a field block", "§6.10", wire.headers(RESPONSE, flags=0) + wire.ping(), PROTOCOL),
    ServerCase("unknown frames and settings", "§5.5",
               wire.frame(wire.UNKNOWN, b"x") + wire.settings((0xABCD, 1)) + wire.frame(wire.UNKNOWN, b"x", 1)
               + ANSWER, OK),
]

MALFORMED = stream_error(wire.PROTOCOL_ERROR)
HEADERS = [
    broken("an index that the table does not have", "§4.3", wire.headers(RESPONSE + wire.indexed(99)), COMPRESSION),
    broken("an integer without end", "§4.3", wire.headers(RESPONSE + b"\xff" * 40), COMPRESSION),
    broken("a table larger than the limit", "§4.3", wire.headers(wire.integer(4097, 5, 0x20) + RESPONSE), COMPRESSION),
    broken("an uppercase name", "§8.2.1", wire.headers(RESPONSE + wire.literal("X-Upper", "v")), MALFORMED),
    broken("no status", "§8.3.2", wire.headers(wire.block(("content-type", "application/grpc"))), MALFORMED),
    broken("a status twice", "§8.3.2", wire.headers(wire.literal(":status", "200") + RESPONSE), MALFORMED),
    broken("a field of requests", "§8.3", wire.headers(wire.literal(":path", "/") + RESPONSE), MALFORMED),
    broken("a field of connections", "§8.2.2", wire.headers(RESPONSE + wire.literal("transfer-encoding", "chunked")),
           MALFORMED),
    # Too much of it: refused, in whichever words, or thrown away; what is missing then is a status.
    *(broken(name, "§10.5.1", raw, COMPRESSION | ANY_END | {CALM, Reset(wire.ENHANCE_YOUR_CALM)}, BROKEN | {UNKNOWN})
      for name, raw in {
          "1 MiB in one field": wire.long_headers(RESPONSE + wire.literal("a", "v" * MIB)),
          "1 MiB in many fields": wire.long_headers(RESPONSE + wire.literal("a", "v" * 100) * 10_000),
          "references to one large entry":
              wire.headers(RESPONSE + wire.literal("a", "v" * 4000, True) + b"\xbe" * 12_000, end=True),
          "CONTINUATIONs without an end": wire.headers(RESPONSE, flags=0) + wire.continuation() * 100_000,
          "full CONTINUATIONs without an end":
              wire.headers(RESPONSE, flags=0) + wire.continuation(wire.literal("a", "v" * 16_000)) * 1000,
          "1 MiB of trailers":
              wire.headers(RESPONSE) + wire.long_headers(wire.literal("a", "v" * 100) * 10_000, end=True),
      }.items()),
]

CANCELLED = frozenset({Reset(wire.CANCEL), Reset(wire.NO_ERROR)})
MESSAGES = [
    ServerCase("as it should be", "PROTOCOL-HTTP2.md", ANSWER, OK),
    broken("2^32-1 bytes", "statuscodes.md",
           wire.headers(RESPONSE) + wire.data(wire.message(b"x", announced=2**32 - 1)),
           CANCELLED, {EXHAUSTED}),
    broken("one byte over the limit", "statuscodes.md",
           wire.headers(RESPONSE) + wire.data(wire.message(announced=4 * MIB + 1)),
           CANCELLED, {EXHAUSTED}),
    broken("cut off", "statuscodes.md", wire.headers(RESPONSE) + wire.data(wire.message(b"x", announced=9)) + TRAILERS,
           ANY_END, {INTERNAL}),
    broken("two where one belongs", "statuscodes.md",
           wire.headers(RESPONSE) + wire.data(wire.message(STOCK_OF_S) * 2) + TRAILERS,
           ANY_END, {UNIMPLEMENTED, INTERNAL}),
    broken("compressed without an encoding", "compression.md",
           wire.headers(RESPONSE) + wire.data(wire.message(gzip.compress(b"x"), compressed=1)) + TRAILERS,
           ANY_END, {INTERNAL}),
    broken("an encoding that nobody asked for", "compression.md", wire.headers(wire.block(
        (":status", "200"), ("content-type", "application/grpc"), ("grpc-encoding", "rot13")))
        + wire.data(wire.message(b"x", compressed=1)) + TRAILERS, ANY_END, {INTERNAL, UNIMPLEMENTED}),
    # 64 MiB of zeros: over the limit once it is unpacked, which must not happen in memory first.
    broken("a compressed bomb", "compression.md",
           wire.headers(GZIPPED) + wire.long_data(wire.message(BOMB, compressed=1)) + TRAILERS,
           ANY_END, {EXHAUSTED, INTERNAL, UNIMPLEMENTED}),
    broken("bytes that only say that they are compressed", "compression.md",
           wire.headers(GZIPPED) + wire.data(wire.message(b"\x1f\x8bnonsense", compressed=1)) + TRAILERS,
           ANY_END, {INTERNAL, UNIMPLEMENTED}),
]

FLOODS = [
    ServerCase(name, "§10.5", raw + ANSWER, OK | BROKEN, ANY_END | {CALM}) for name, raw in {
        "SETTINGS": wire.settings() * 20_000,
        "PING": wire.ping() * 20_000,
        "PRIORITY": wire.priority() * 20_000,
        "WINDOW_UPDATE": wire.window_update(1) * 20_000 + wire.window_update(1, 1) * 20_000,
        "unknown frames": wire.frame(wire.UNKNOWN, b"x" * 100) * 20_000,
        "interim responses": wire.headers(wire.block((":status", "103"))) * 20_000,
    }.items()
] + [
    ServerCase("empty DATA", "§10.5", wire.headers(RESPONSE) + wire.data() * 20_000
               + wire.data(wire.message(STOCK_OF_S)) + TRAILERS,
               OK | BROKEN, ANY_END | {CALM}),
    broken("RST_STREAM", "§10.5", wire.reset(wire.INTERNAL_ERROR) * 20_000, ANY_END | {CALM}),
    broken("GOAWAY", "§10.5", wire.go_away() * 20_000, ANY_END | {CALM}),
    # Below the stream's window, above the connection's, and the other way round.
    broken("DATA that nobody has room for", "§6.9", wire.headers(RESPONSE) + wire.data(bytes(wire.MAX_FRAME)) * 4000,
           ANY_END | {CALM} | stream_error(wire.FLOW_CONTROL_ERROR), BROKEN | {UNIMPLEMENTED}),
]


def never_greets(connection):
    connection.wait_closed()


def greets_with(raw):
    def behave(connection):
        connection.send(raw)
        connection.wait_closed()

    return behave


def closes(connection):
    if connection.greet():
        connection.wait_for_request()


def closes_at_once(connection):
    pass


def refuses(connection):
    connection.greet()
    stream = 1
    while connection.wait_for_request(stream):
        connection.send(wire.reset(wire.REFUSED_STREAM, stream))
        stream += 2


def byte_by_byte(connection):
    if connection.greet() and connection.wait_for_request():
        for byte in ANSWER:
            connection.send(bytes([byte]))
        connection.wait_closed()


BEHAVIOURS = {
    "HTTP/1.1": (greets_with(b"HTTP/1.1 400 Bad Request\r\n\r\n"), {UNAVAILABLE}),
    "TLS": (greets_with(bytes.fromhex("15030100020246")), {UNAVAILABLE, LATE}),
    "noise": (greets_with(bytes(range(256)) * 1000), {UNAVAILABLE}),
    "no SETTINGS": (greets_with(wire.ping()), {UNAVAILABLE}),
    "silence": (never_greets, {LATE, UNAVAILABLE}),
    "it closes each connection that has a call": (closes, {UNAVAILABLE}),
    "it closes each connection at once": (closes_at_once, {UNAVAILABLE, LATE}),
    "it refuses each call": (refuses, {UNAVAILABLE}),
    "it answers byte by byte": (byte_by_byte, OK),
    "it takes no calls": (lambda c: c.greet((wire.MAX_CONCURRENT_STREAMS, 0)) and c.wait_closed(), {LATE, UNAVAILABLE}),
    "it takes no bytes": (lambda c: c.greet((wire.INITIAL_WINDOW_SIZE, 0)) and c.wait_closed(), {LATE, UNAVAILABLE}),
}


class GatewayAsClient(unittest.TestCase):
    """Each case has a server of its own, which the gateway finds in the folder that it watches."""

    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="oms-", dir="/tmp"))
        cls.stack = cls.enterClassContext(Stack(services=("gateway",), inventory_target=f"unix-dir:{cls.folder}"))
        cls.client = cls.enterClassContext(Reflected(cls.stack.grpc))
        cls.client.stub(GET_STOCK)  # fetches its description
        cls.number = 0

    def call(self, behave, waits=False):
        """(status, how many connections). `waits` for the server's last word on each of them that had a request."""
        type(self).number += 1
        gateway = self.stack.gateway.pid
        before = memory_kib(gateway)
        forget_peak(gateway)
        with HostileServer(os.path.join(self.folder, f"{self.number}.sock"), behave) as server:
            server.wait_for_connections(1)
            status = grpc.StatusCode.OK
            try:
                self.client.call(GET_STOCK, REQUEST, timeout=CALL_S)
            except grpc.RpcError as error:
                status = error.code()
            # What the gateway itself is asked, it answers, whatever goes on behind it.
            self.client.call("omsconnector.v1.GatewayService/GetRegistration", {}, timeout=20)
            for connection in server.connections if waits else ():
                self.assertTrue(not connection.fields or connection.served.wait(30),
                                "the gateway has not reacted within 30 s")
            count = len(server.connections)
        self.assertTrue(self.stack.gateway.running)
        self.assertLessEqual((memory_kib(gateway, "VmHWM") - before) / 1024, GROWTH_MIB, "MiB of the gateway's memory")
        return status, count

    def check(self, cases):
        for case in cases:
            with self.subTest(case.name, section=case.section):
                found = []
                status, _ = self.call(functools.partial(case.behave, found=found), waits=True)
                self.assertIn(status, case.statuses, case.name)
                self.assertTrue(found, "the gateway has not called")
                self.assertLessEqual(set(found), case.reactions,
                                     f"{case.name}: {shown(found)}, but {case.section} asks for {shown(case.reactions)}")

    def test_frames(self):
        self.check(FRAMES)

    def test_headers(self):
        self.check(HEADERS)

    def test_messages(self):
        self.check(MESSAGES)

    def test_floods(self):
        self.check(FLOODS)

    def test_behaviours(self):
        for name, (behave, statuses) in BEHAVIOURS.items():
            with self.subTest(name):
                status, connections = self.call(behave)
                self.assertIn(status, statuses)
                self.assertLess(connections, 20, "it tries again, but with pauses that grow")


class OmsctlAsClient(unittest.TestCase):
    def test_it_ends_and_says_why(self):
        cases = [(case.name, functools.partial(case.behave, found=[]), case.statuses)
                 for case in (*MESSAGES, *FLOODS, *HEADERS[-6:])]
        cases += [(name, *behaviour) for name, behaviour in BEHAVIOURS.items() if behaviour[1] == {UNAVAILABLE}]
        with tempfile.TemporaryDirectory(prefix="oms-", dir="/tmp") as folder:
            for number, (name, behave, statuses) in enumerate(cases):
                with self.subTest(name), HostileServer(f"{folder}/{number}.sock", behave) as server:
                    command = ["stock", "get", "A", "S", "--gateway", server.target, "--timeout", f"{CALL_S}s"]
                    done = subprocess.run([os.path.join(BIN, "omsctl"), *command], env=clean_environment(),
                                          capture_output=True, text=True, timeout=60)
                    found = "OK" if done.returncode == 0 else done.stderr.partition(":")[0]
                    self.assertIn(found, {status.name for status in statuses}, done.stderr or done.stdout)
