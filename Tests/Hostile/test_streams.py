"""Frames on streams that are in no state for them (RFC 9113 §5.1)."""

import wire
from attack import Case, HostileTest
from outcome import OK, Ignored, connection_error, stream_error
from peer import Peer

PROTOCOL = connection_error(wire.PROTOCOL_ERROR)
CLOSED = stream_error(wire.STREAM_CLOSED)
IGNORED = {Ignored()}
# Request headers that ended without END_STREAM, and the whole call, whose answer is not to be sent: the window is 0.
OPEN = wire.headers()
NO_WINDOW = ((wire.INITIAL_WINDOW_SIZE, 0),)
ASKED = wire.call()


def after_answer(raw):
    """Sends it once the call on stream 1 is over."""

    def send(peer):
        peer.send(wire.call())
        peer.wait(lambda: 1 in peer.ended, "the answer")
        peer.send(raw)

    return send


def after_reset(raw):
    return OPEN + wire.reset() + raw


IDLE = [
    Case("DATA before HEADERS", "§5.1", wire.data(b"x"), PROTOCOL),
    Case("RST_STREAM", "§6.4", wire.reset(), PROTOCOL),
    Case("CONTINUATION", "§6.10", wire.continuation(wire.REQUEST, end=True), PROTOCOL),
]

NUMBERS = [
    Case("HEADERS on an even stream", "§5.1.1", wire.headers(stream=2), PROTOCOL),
    Case("DATA on an even stream", "§5.1.1", wire.data(b"x", 2), PROTOCOL),
    Case("HEADERS on stream 0", "§6.2", wire.headers(stream=0), PROTOCOL),
    Case("DATA on stream 0", "§6.1", wire.data(b"x", 0), PROTOCOL),
    Case("RST_STREAM on stream 0", "§6.4", wire.reset(stream=0), PROTOCOL),
    Case("CONTINUATION on stream 0", "§6.10", wire.continuation(stream=0), PROTOCOL),
    # The number is unexpected (§5.1.1), and its stream has been closed all along (§5.1).
    Case("a number that is lower than the one before", "§5.1.1", wire.headers(stream=5) + wire.headers(stream=3),
         PROTOCOL | connection_error(wire.STREAM_CLOSED), stream=3),
    Case("DATA on a stream that was left out", "§5.1", wire.headers(stream=5) + wire.data(b"x", 3),
         PROTOCOL | CLOSED | IGNORED, stream=3),
]

HALF_CLOSED = [
    Case("DATA", "§5.1", ASKED + wire.data(b"x"), CLOSED, settings=NO_WINDOW),
    Case("HEADERS", "§5.1", ASKED + wire.headers(end=True), CLOSED, settings=NO_WINDOW),
    Case("PRIORITY", "§5.1", ASKED + wire.priority(), IGNORED, settings=NO_WINDOW),
    Case("WINDOW_UPDATE", "§5.1", ASKED + wire.window_update(wire.DEFAULT_WINDOW, 1), {OK}, settings=NO_WINDOW),
]

# §5.1 "closed": a connection error, except for what may have been on its way; or all is looked at and thrown away.
ANSWERED = [
    Case("DATA", "§5.1", after_answer(wire.data(b"x")), CLOSED | PROTOCOL | {OK}),
    Case("HEADERS", "§5.1", after_answer(wire.headers(end=True)), CLOSED | PROTOCOL | {OK}),
    Case("WINDOW_UPDATE", "§5.1", after_answer(wire.window_update(1, 1)), {OK}),
    Case("RST_STREAM", "§5.1", after_answer(wire.reset()), {OK}),
    Case("PRIORITY", "§5.1", after_answer(wire.priority()), {OK}),
]

RESET = [
    Case("DATA", "§5.1", after_reset(wire.data(b"x")), CLOSED | PROTOCOL | IGNORED),
    Case("HEADERS", "§5.1", after_reset(wire.headers(end=True)), CLOSED | PROTOCOL | IGNORED),
    Case("WINDOW_UPDATE", "§5.1", after_reset(wire.window_update(1, 1)),
         IGNORED | connection_error(wire.STREAM_CLOSED)),
    Case("RST_STREAM again", "§5.1", after_reset(wire.reset()), IGNORED | connection_error(wire.STREAM_CLOSED)),
    Case("PRIORITY", "§5.1", after_reset(wire.priority()), IGNORED),
]

BLOCKS = [
    Case("a PING in between", "§6.10", wire.headers(flags=0) + wire.ping() + wire.continuation(end=True), PROTOCOL),
    Case("DATA in between", "§6.10", wire.headers(flags=0) + wire.data(b"x") + wire.continuation(end=True), PROTOCOL),
    Case("WINDOW_UPDATE in between", "§6.10",
         wire.headers(flags=0) + wire.window_update(1) + wire.continuation(end=True), PROTOCOL),
    Case("another stream's HEADERS in between", "§6.10",
         wire.headers(flags=0) + wire.headers(stream=3) + wire.continuation(end=True), PROTOCOL),
    Case("an unknown frame in between", "§5.5",
         wire.headers(flags=0) + wire.frame(wire.UNKNOWN) + wire.continuation(end=True), PROTOCOL),
    Case("continued on another stream", "§6.10", wire.headers(flags=0) + wire.continuation(stream=3, end=True),
         PROTOCOL),
    Case("continued though it had ended", "§6.10", OPEN + wire.continuation(end=True), PROTOCOL),
    Case("cut into single bytes", "§4.3",
         wire.headers(wire.REQUEST[:1], flags=0)
         + b"".join(wire.continuation(bytes([byte])) for byte in wire.REQUEST[1:9])
         + wire.continuation(wire.REQUEST[9:], end=True)
         + wire.data(wire.message(b"hello"), end=True), {OK}),
]


class Streams(HostileTest):
    def test_idle(self):
        self.check(IDLE)

    def test_identifiers(self):
        self.check(NUMBERS)

    def test_last_identifier_that_there_is(self):
        last = 2**31 - 1
        with self.attack(), Peer(self.target) as peer:
            peer.send(wire.call(stream=last))
            peer.wait(lambda: last in peer.ended, "the answer")
            self.assertEqual(peer.status(last), 0)

    def test_half_closed_by_the_client(self):
        self.check(HALF_CLOSED)

    def test_closed_by_the_answer(self):
        self.check(ANSWERED)

    def test_closed_by_a_reset(self):
        self.check(RESET)

    def test_field_blocks_are_in_one_piece(self):
        self.check(BLOCKS)
