"""Frames that are allowed, or cost only their sender, and too many of them (RFC 9113 §10.5)."""

import wire
from attack import MIB, Case, HostileTest, many
from outcome import CALM, OK, Closed, GoAway, Http, Ignored, Reset, Status
from peer import Peer
from waiting import wait_until

OPEN = wire.headers()
# Whoever is flooded may end it, with this word for it, or bear it.
BEARABLE = frozenset({Ignored(), CALM})
# These make the server work for nothing until it says so.
UNBEARABLE = frozenset({CALM})


def calls(count, raw):
    """`raw`, a function of the stream, on that many streams."""
    return b"".join(raw(1 + 2 * n) for n in range(count))


def opened(raw):
    return lambda stream: wire.headers(stream=stream) + raw(stream)


# CVE-2023-44487
RAPID_RESET = [
    Case("as soon as the headers are there", "§10.5", calls(20_000, opened(lambda stream: wire.reset(stream=stream))),
         UNBEARABLE),
    Case("calls that are handled already", "§10.5",
         calls(20_000, lambda stream: wire.call(b"x", stream) + wire.reset(stream=stream)), UNBEARABLE),
    Case("calls whose handlers suspend", "§10.5",
         calls(20_000, lambda stream: wire.call(b"x", stream, wire.request_block(path=wire.ECHO_LATER))
               + wire.reset(stream=stream)),
         UNBEARABLE),
]


def made(name, code, raw):
    """Ends with the word for the one frame, if that is a connection error already, or with the word for all of them."""
    return Case(name, "§10.5", calls(4000, opened(raw)), UNBEARABLE | {GoAway(code)})


# CVE-2025-8671: the client breaks a rule and the server resets the stream, which is free again while its call still runs.
MADE_RESET = [
    made("WINDOW_UPDATE by 0", wire.PROTOCOL_ERROR, lambda stream: wire.window_update(0, stream)),
    made("WINDOW_UPDATE beyond 2^31-1", wire.FLOW_CONTROL_ERROR,
         lambda stream: wire.window_update(wire.MAX_WINDOW, stream)),
    made("DATA behind the end", wire.STREAM_CLOSED,
         lambda stream: wire.data(b"", stream, end=True) + wire.data(b"x", stream)),
    made("HEADERS behind the end", wire.STREAM_CLOSED,
         lambda stream: wire.data(b"", stream, end=True) + wire.headers(stream=stream, end=True)),
    made("trailers that are malformed", wire.PROTOCOL_ERROR,
         lambda stream: wire.headers(wire.block((":path", "x")), stream, end=True)),
    made("trailers that do not end", wire.PROTOCOL_ERROR, lambda stream: wire.headers(wire.block(("a", "b")), stream)),
    made("PRIORITY of 4 bytes", wire.FRAME_SIZE_ERROR, lambda stream: wire.frame(wire.PRIORITY, bytes(4), stream)),
    Case("DATA of 16 385 bytes", "§10.5", lambda peer: all(
        peer.send(wire.headers(stream=stream) + wire.data(bytes(wire.MAX_FRAME + 1), stream))
        for stream in range(1, 8000, 2)),
        UNBEARABLE | {GoAway(wire.FRAME_SIZE_ERROR)}),
    Case("malformed requests", "§10.5",
         calls(4000, lambda stream: wire.headers(wire.request_block(("X", "v")), stream)), UNBEARABLE),
    Case("content-length that does not fit", "§10.5", calls(
        4000, lambda stream: wire.headers(wire.request_block(("content-length", "1")), stream)
        + wire.data(b"xx", stream)),
        UNBEARABLE),
]

ENDLESS = frozenset({CALM, GoAway(wire.COMPRESSION_ERROR), Http(431), Status(8)})
CONTINUATION = [
    Case("empty, without an end", "§10.5", wire.headers(flags=0) + wire.continuation() * 200_000, ENDLESS),
    Case("full, without an end", "§10.5.1",
         many(wire.continuation(wire.literal("a", "v" * 16_000)), 2000, first=wire.headers(flags=0)), ENDLESS),
    Case("a field without an end", "§10.5.1",
         many(wire.continuation(bytes(wire.MAX_FRAME)), 2000,
              first=wire.headers(wire.REQUEST + b"\0" + wire.text("a") + wire.integer(2**30, 7), flags=0)), ENDLESS),
    Case("table sizes without an end", "§10.5", wire.headers(b"\x20\x3f\xe1\x1f" * 4000, flags=0)
         + wire.continuation(b"\x20\x3f\xe1\x1f" * 4000) * 200, ENDLESS),
    Case("empty, with an end", "§10.5",
         wire.headers(flags=0) + wire.continuation() * 10_000 + wire.continuation(end=True)
         + wire.data(wire.message(), end=True),
         UNBEARABLE | {OK}),
]

WINDOWS = wire.settings(*[(wire.INITIAL_WINDOW_SIZE, 60_000 + n % 2) for n in range(2700)])
CHEAP = [
    Case("SETTINGS", "§10.5", wire.settings() * 50_000, BEARABLE),
    Case("SETTINGS with 2 700 values each", "§10.5", WINDOWS * 100, BEARABLE),
    # Each value concerns every open stream (§6.9.2): 900 streams × 2 700 values × 100 frames.
    Case("SETTINGS with windows of many streams", "§10.5", calls(900, opened(lambda _: b"")) + WINDOWS * 100, BEARABLE),
    Case("table sizes", "§10.5", wire.settings((wire.HEADER_TABLE_SIZE, 0), (wire.HEADER_TABLE_SIZE, 4096)) * 20_000,
         BEARABLE),
    Case("PING", "§10.5", wire.ping() * 50_000, BEARABLE),
    Case("answers to no PING", "§10.5", wire.ping(flags=wire.ACK) * 50_000, BEARABLE),
    Case("PRIORITY of one stream", "§10.5", OPEN + wire.priority() * 50_000, BEARABLE),
    Case("PRIORITY of idle streams", "§10.5", calls(50_000, lambda stream: wire.priority(stream=stream)), BEARABLE),
    Case("WINDOW_UPDATE of the connection", "§10.5", wire.window_update(1) * 50_000, BEARABLE),
    Case("WINDOW_UPDATE of a stream", "§10.5", OPEN + wire.window_update(1, 1) * 50_000, BEARABLE),
    Case("unknown frames", "§10.5", wire.frame(wire.UNKNOWN, b"x") * 50_000, BEARABLE),
    Case("large unknown frames", "§10.5", many(wire.frame(wire.UNKNOWN, bytes(wire.MAX_FRAME)), 1000), BEARABLE),
    Case("empty DATA", "§10.5", OPEN + wire.data() * 50_000, BEARABLE | {Reset(wire.ENHANCE_YOUR_CALM)}),
    Case("calls of nothing", "§10.5", calls(20_000, lambda stream: wire.headers(stream=stream, end=True)),
         frozenset({Status(12), Status(13), CALM})),
]

# Answers that nobody takes must not pile up: the server stops reading, or goes.
UNREAD = {
    "PING": wire.ping() * 300_000,
    "SETTINGS": wire.settings() * 300_000,
    "calls": calls(30_000, lambda stream: wire.call(b"x" * 50, stream)),
    "calls that are refused": calls(30_000, opened(lambda _: b"")),
    "calls of no method": calls(30_000, lambda stream: wire.headers(wire.request_block(path="/no"), stream, end=True)),
}


class Floods(HostileTest):
    def test_rapid_reset(self):
        self.check(RAPID_RESET)

    def test_resets_that_the_server_is_made_to_send(self):
        self.check(MADE_RESET)

    def test_continuation(self):
        self.check(CONTINUATION)

    def test_what_costs_little_each(self):
        self.check(CHEAP)

    def test_answers_that_nobody_reads(self):
        for name, raw in UNREAD.items():
            with self.subTest(name), self.attack(), Peer(self.target) as peer:
                peer.send_what_fits(raw)
                self.neighbour.wait_for_more(20)

    def test_one_that_is_sent_away_and_does_not_read_why(self):
        before = self.server.descriptors()
        with self.attack(growth_mib=64), Peer(self.target) as peer:
            # Nothing of what it says gets out any more: its answers have filled the socket.
            peer.send(wire.settings((wire.INITIAL_WINDOW_SIZE, wire.MAX_WINDOW)))
            peer.send(wire.window_update(wire.MAX_WINDOW - wire.DEFAULT_WINDOW))
            answers = (wire.headers(stream=stream) + wire.long_data(wire.message(bytes(3 * MIB)), stream, end=True)
                       for stream in range(1, 17, 2))
            peer.send_what_fits(b"".join(answers))
            self.neighbour.wait_for_more(20)
            peer.send_what_fits(wire.ping() * 10_000)
            wait_until(lambda: self.server.descriptors() <= before, "the server to close the connection")

    def test_pings_of_one_that_only_wants_to_know(self):
        """gRPC's keepalive.md: two that come too early are forgiven, the next one ends the connection."""
        with self.attack(), Peer(self.target) as peer:
            for number in range(10):
                if not peer.send(wire.ping(b"%08d" % number)) or not peer.wait_a_moment(1):
                    break
            peer.wait_closed(10)
            self.assertEqual(peer.go_away, wire.ENHANCE_YOUR_CALM)

    def test_go_away_again_and_again(self):
        with self.attack(), Peer(self.target) as peer:
            peer.send(wire.go_away() * 50_000)
            self.assertIn(peer.outcome(), BEARABLE | {Closed()})
