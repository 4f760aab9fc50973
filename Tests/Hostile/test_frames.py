"""Frames that are wrong in themselves: their length, their stream, their content (RFC 9113 §4 and §6)."""

import wire
from attack import Case, HostileTest
from outcome import OK, Ignored, connection_error, stream_error
from peer import Peer

PROTOCOL, SIZE, FLOW = (connection_error(code)
                        for code in (wire.PROTOCOL_ERROR, wire.FRAME_SIZE_ERROR, wire.FLOW_CONTROL_ERROR))
OPEN = wire.headers()  # stream 1, whose request has not ended
IGNORED = {Ignored()}

SETTINGS = [
    Case("ENABLE_PUSH is 2", "§6.5.2", wire.settings((wire.ENABLE_PUSH, 2)), PROTOCOL),
    Case("a window over 2^31-1", "§6.5.2", wire.settings((wire.INITIAL_WINDOW_SIZE, 2**31)), FLOW),
    Case("frames of fewer than 16 384 bytes", "§6.5.2", wire.settings((wire.MAX_FRAME_SIZE, 16_383)), PROTOCOL),
    Case("frames of more than 2^24-1 bytes", "§6.5.2", wire.settings((wire.MAX_FRAME_SIZE, 2**24)), PROTOCOL),
    Case("5 bytes", "§6.5", wire.frame(wire.SETTINGS, bytes(5)), SIZE),
    Case("7 bytes", "§6.5", wire.frame(wire.SETTINGS, bytes(7)), SIZE),
    Case("on a stream", "§6.5", OPEN + wire.settings(stream=1), PROTOCOL),
    Case("an acknowledgement with content", "§6.5", wire.settings((wire.ENABLE_PUSH, 0), flags=wire.ACK), SIZE),
    Case("a setting that nobody knows", "§6.5.2", wire.settings((0xABCD, 7)), IGNORED),
    Case("flags that nobody knows", "§4.1", wire.settings(flags=0xFE), IGNORED),
    Case("a window that grows beyond 2^31-1", "§6.9.2",
         OPEN + wire.window_update(wire.MAX_WINDOW - wire.DEFAULT_WINDOW, 1)
         + wire.settings((wire.INITIAL_WINDOW_SIZE, wire.MAX_WINDOW)), FLOW),
    Case("the largest that all settings may be", "§6.5.2", wire.settings(
        (wire.HEADER_TABLE_SIZE, 2**32 - 1), (wire.MAX_CONCURRENT_STREAMS, 2**32 - 1),
        (wire.INITIAL_WINDOW_SIZE, wire.MAX_WINDOW), (wire.MAX_FRAME_SIZE, 2**24 - 1), (wire.MAX_HEADER_LIST_SIZE, 2**32 - 1)) + wire.call(), {OK}),
    Case("the smallest that all settings may be", "§6.5.2", wire.settings(
        (wire.HEADER_TABLE_SIZE, 0), (wire.ENABLE_PUSH, 0), (wire.MAX_CONCURRENT_STREAMS, 0),
        (wire.MAX_FRAME_SIZE, wire.MAX_FRAME))
        + wire.call(), {OK}),
]

PING = [
    Case("7 bytes", "§6.7", wire.ping(bytes(7)), SIZE),
    Case("9 bytes", "§6.7", wire.ping(bytes(9)), SIZE),
    Case("none", "§6.7", wire.ping(b""), SIZE),
    Case("on a stream", "§6.7", OPEN + wire.ping(stream=1), PROTOCOL),
    Case("an answer that nobody asked for", "§6.7", wire.ping(flags=wire.ACK), IGNORED),
]

PRIORITY = [
    # Deprecated, but its length is still checked (§6.3).
    Case("4 bytes", "§6.3", OPEN + wire.frame(wire.PRIORITY, bytes(4), 1), stream_error(wire.FRAME_SIZE_ERROR)),
    Case("on no stream", "§6.3", wire.priority(stream=0), PROTOCOL),
    Case("of an idle stream", "§6.3", wire.priority(stream=7), IGNORED),
    # RFC 7540 §5.3.1 made it a stream error, RFC 9113 has nobody look at the content.
    Case("of a stream that depends on itself", "§5.3.2", OPEN + wire.priority(1, stream=1),
         IGNORED | stream_error(wire.PROTOCOL_ERROR)),
    Case("of an idle stream that depends on itself", "§5.3.2", wire.priority(7, stream=7), IGNORED | PROTOCOL),
    Case("in HEADERS too short for it", "§6.2", wire.headers(b"\0\0", flags=wire.END_HEADERS | wire.WITH_PRIORITY),
         SIZE | PROTOCOL),
]

WINDOW_UPDATE = [
    Case("by 0 of a stream", "§6.9", OPEN + wire.window_update(0, 1), stream_error(wire.PROTOCOL_ERROR)),
    Case("by 0 of the connection", "§6.9", wire.window_update(0), PROTOCOL),
    Case("by 0, the reserved bit set", "§6.9", wire.window_update(2**31), PROTOCOL),
    Case("of a stream beyond 2^31-1", "§6.9.1", OPEN + wire.window_update(wire.MAX_WINDOW, 1),
         stream_error(wire.FLOW_CONTROL_ERROR)),
    Case("of the connection beyond 2^31-1", "§6.9.1", wire.window_update(wire.MAX_WINDOW), FLOW),
    Case("of the connection to 2^31-1", "§6.9.1", wire.window_update(wire.MAX_WINDOW - wire.DEFAULT_WINDOW), IGNORED),
    Case("3 bytes", "§6.9", wire.frame(wire.WINDOW_UPDATE, bytes(3)), SIZE),
    Case("5 bytes on a stream", "§6.9", OPEN + wire.frame(wire.WINDOW_UPDATE, bytes(5), 1), SIZE),
    Case("of an idle stream", "§5.1", wire.window_update(1, 7), PROTOCOL),
]

LENGTHS = [
    # §4.2: a frame with a field block alters the connection's state, DATA only its stream's.
    Case("DATA of 16 385 bytes", "§4.2", OPEN + wire.data(bytes(wire.MAX_FRAME + 1)),
         stream_error(wire.FRAME_SIZE_ERROR)),
    Case("HEADERS of 16 385 bytes", "§4.2", wire.headers(wire.REQUEST.ljust(wire.MAX_FRAME + 1, b"\x20")), SIZE),
    Case("DATA that says to be 2^24-1 bytes", "§4.2", OPEN + wire.data(length=2**24 - 1),
         stream_error(wire.FRAME_SIZE_ERROR)),
    Case("SETTINGS of 16 386 bytes", "§4.2", wire.frame(wire.SETTINGS, bytes(16_386)), SIZE),
    Case("an unknown frame of 16 385 bytes", "§4.2", wire.frame(wire.UNKNOWN, bytes(wire.MAX_FRAME + 1)), SIZE),
    Case("RST_STREAM of 3 bytes", "§6.4", OPEN + wire.frame(wire.RST_STREAM, bytes(3), 1), SIZE),
    Case("GOAWAY of 7 bytes", "§6.8", wire.frame(wire.GOAWAY, bytes(7)), SIZE),
    Case("DATA padded by more than its length", "§6.1", OPEN + wire.data(b"\x05abc", flags=wire.PADDED), PROTOCOL),
    Case("DATA padded by as much as its length", "§6.1", OPEN + wire.data(b"\x04abc", flags=wire.PADDED), PROTOCOL),
    # Too short to hold the mandatory field that says how long the padding is.
    Case("DATA padded without a length of it", "§4.2", OPEN + wire.data(flags=wire.PADDED),
         stream_error(wire.FRAME_SIZE_ERROR) | PROTOCOL),
    Case("HEADERS padded by more than their length", "§6.2",
         wire.headers(b"\xff" + wire.REQUEST[:20], flags=wire.END_HEADERS | wire.PADDED), PROTOCOL),
    Case("padding that fits", "§6.1",
         wire.headers(b"\x03" + wire.REQUEST + bytes(3), flags=wire.END_HEADERS | wire.PADDED)
         + wire.data(b"\xc8" + wire.message(b"hello") + bytes(200), flags=wire.PADDED, end=True), {OK}),
]

OTHERS = [
    Case("an unknown frame on the connection", "§5.5", wire.frame(wire.UNKNOWN, b"x"), IGNORED),
    Case("an unknown frame on an open stream", "§5.5", OPEN + wire.frame(wire.UNKNOWN, b"x", 1), IGNORED),
    Case("an unknown frame on an idle stream", "§5.5", wire.frame(wire.UNKNOWN, b"x", 9), IGNORED),
    Case("every unknown type in a call", "§5.5",
         OPEN + b"".join(wire.frame(kind, b"x", 1) for kind in range(0x20, 0x100))
         + wire.data(wire.message(b"hello"), end=True),
         {OK}),
    Case("the reserved bit of stream identifiers", "§4.1",
         wire.headers(stream=1 | 2**31) + wire.data(wire.message(b"hello"), 1 | 2**31, end=True), {OK}),
    Case("unknown flags in a call", "§4.1",
         wire.headers(flags=wire.END_HEADERS | 0xD2) + wire.data(wire.message(b"hello"), flags=0xF6, end=True), {OK}),
    Case("PUSH_PROMISE from a client", "§8.4",
         OPEN + wire.frame(wire.PUSH_PROMISE, b"\0\0\0\2" + wire.REQUEST, 1, wire.END_HEADERS), PROTOCOL),
    Case("PUSH_PROMISE on no stream", "§6.6",
         wire.frame(wire.PUSH_PROMISE, b"\0\0\0\2" + wire.REQUEST, 0, wire.END_HEADERS), PROTOCOL),
    Case("GOAWAY on a stream", "§6.8", OPEN + wire.go_away(stream=1), PROTOCOL),
]


class Frames(HostileTest):
    def test_settings(self):
        self.check(SETTINGS)

    def test_ping(self):
        self.check(PING)

    def test_priority(self):
        self.check(PRIORITY)

    def test_window_update(self):
        self.check(WINDOW_UPDATE)

    def test_lengths_and_padding(self):
        self.check(LENGTHS)

    def test_unknown_frames_and_those_that_clients_do_not_send(self):
        self.check(OTHERS)

    def test_call_ends_well_though_its_client_has_sent_go_away(self):
        """§6.8: it starts no new streams, or takes none; those that there are go on. Then either side may close."""
        with self.attack(), Peer(self.target) as peer:
            peer.send(OPEN + wire.go_away() + wire.data(wire.message(b"hello"), end=True))
            peer.wait(lambda: 1 in peer.ended, "the answer")
            self.assertEqual(peer.status(1), 0)
