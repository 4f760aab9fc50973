"""Windows that are abused, from either side (RFC 9113 §5.2 and §6.9)."""

import wire
from attack import MIB, Case, HostileTest
from outcome import CALM, OK, GoAway, Status, connection_error, stream_error
from peer import Peer

RESOURCE_EXHAUSTED = 8
LARGE = wire.message(bytes(MIB))
# What a connection's calls may keep in memory together, and that they are kept in blocks, twice while a block grows.
CONNECTION_MIB = 64 + 32


class FlowControl(HostileTest):
    def ask(self, peer, streams, payload=LARGE):
        for stream in streams:
            peer.send(wire.headers(stream=stream))
            peer.send_data(payload, stream, end=True)

    def test_large_answers_to_a_client_without_a_window(self):
        streams = range(1, 2 * 100, 2)
        no_window = [(wire.INITIAL_WINDOW_SIZE, 0)]
        with self.attack(growth_mib=CONNECTION_MIB), Peer(self.target, settings=no_window) as peer:
            self.ask(peer, streams)
            peer.round_trip()
            refused = [stream for stream in streams if peer.status(stream) == RESOURCE_EXHAUSTED]
            self.assertGreaterEqual(len(refused), 100 - 64, "of 100 MiB")
            # The windows open after all, and the others get what they asked for.
            peer.send(wire.window_update(wire.MAX_WINDOW - wire.DEFAULT_WINDOW)
                      + wire.settings((wire.INITIAL_WINDOW_SIZE, wire.MAX_WINDOW)))
            waiting = [stream for stream in streams if stream not in refused]
            peer.wait(lambda: all(stream in peer.ended for stream in waiting), "the answers")
            self.assertEqual({peer.status(stream) for stream in waiting}, {0})
            self.assertEqual({peer.received[stream] for stream in waiting}, {len(LARGE)})
        with self.attack(), Peer(self.target) as peer:
            peer.send(wire.call())
            self.assertEqual(peer.outcome(), OK, "after it")

    def test_large_answers_that_nobody_takes_from_the_socket(self):
        windows = [(wire.INITIAL_WINDOW_SIZE, wire.MAX_WINDOW)]
        with self.attack(growth_mib=CONNECTION_MIB), Peer(self.target, settings=windows) as peer:
            peer.send(wire.window_update(wire.MAX_WINDOW - wire.DEFAULT_WINDOW))
            peer.reads = False
            peer.send_what_fits(b"".join(wire.headers(stream=stream) + wire.long_data(LARGE, stream, end=True)
                                         for stream in range(1, 81, 2)))
            self.neighbour.wait_for_more(50)

    def test_answer_that_is_taken_byte_by_byte(self):
        with self.attack(), Peer(self.target, settings=[(wire.INITIAL_WINDOW_SIZE, 1)]) as peer:
            self.ask(peer, [1])
            peer.send(wire.window_update(1, 1) * 20_000)
            if peer.wait(lambda: peer.received.get(1, 0) == 20_001, "20 001 bytes"):
                peer.send(wire.window_update(MIB, 1) + wire.window_update(MIB))
                peer.wait(lambda: 1 in peer.ended, "the rest")
                self.assertEqual((peer.received[1], peer.status(1)), (len(LARGE), 0))
            else:
                self.assertEqual(peer.go_away, wire.ENHANCE_YOUR_CALM)

    def test_padding_gives_its_room_back(self):
        with self.attack(), Peer(self.target) as peer:
            peer.send(wire.headers())
            peer.send_padding(10_000, 1)  # 2.5 MB, more than a stream's window
            peer.send_data(wire.message(b"hello"), 1, end=True)
            self.assertIn(peer.outcome(), {OK, CALM})

    def test_window_that_goes_below_zero(self):
        """§6.9.2: a window that shrinks may leave a stream with less than nothing, to be made up for."""
        payload = wire.message(bytes(100_000))
        with self.attack(), Peer(self.target) as peer:
            self.ask(peer, [1], payload)
            peer.wait(lambda: peer.received.get(1, 0) == wire.DEFAULT_WINDOW, "a window of bytes")
            peer.send(wire.settings((wire.INITIAL_WINDOW_SIZE, 0)) + wire.window_update(MIB)
                      + wire.window_update(wire.DEFAULT_WINDOW, 1))
            peer.round_trip()
            self.assertEqual(peer.received[1], wire.DEFAULT_WINDOW)
            peer.send(wire.window_update(10, 1))
            peer.wait(lambda: peer.received[1] == wire.DEFAULT_WINDOW + 10, "10 bytes more")
            peer.send(wire.window_update(MIB, 1))
            peer.wait(lambda: 1 in peer.ended, "the rest")
            self.assertEqual((peer.received[1], peer.status(1)), (len(payload), 0))

    def test_more_data_than_the_stream_has_room_for(self):
        # One whole message, and then as much as nobody has asked for: a unary call has no use for it.
        raw = wire.headers() + wire.data(wire.message(b"x")) + wire.long_data(bytes(3 * MIB))
        self.check([Case("3 MiB at once", "§6.9", raw,
                         frozenset(stream_error(wire.FLOW_CONTROL_ERROR) | {Status(12), Status(13)}))])

    def test_more_data_than_the_connection_has_room_for(self):
        # Each stream keeps to its window of 1 MiB; all of them together do not keep to the connection's.
        raw = b"".join(wire.headers(stream=stream) + wire.data(wire.message(b"x"), stream)
                       + wire.long_data(bytes(MIB - wire.MAX_FRAME), stream)
                       for stream in range(1, 2 * 60, 2))
        self.check([Case("60 MiB on 60 streams", "§6.9", raw,
                         frozenset(connection_error(wire.FLOW_CONTROL_ERROR) | {Status(12), Status(13)}),
                         growth_mib=48)])

    def test_messages_that_are_never_finished(self):
        half = wire.message(bytes(MIB), announced=4 * MIB)
        streams = range(1, 2 * 100, 2)
        with self.attack(growth_mib=CONNECTION_MIB), Peer(self.target) as peer:
            for stream in streams:
                peer.send(wire.headers(stream=stream))
                peer.send_data(half, stream)
            peer.round_trip()
            refused = [stream for stream in streams if peer.status(stream) == RESOURCE_EXHAUSTED]
            self.assertGreaterEqual(len(refused), 100 - 64)
        with self.attack(), Peer(self.target) as peer:
            peer.send(wire.call())
            self.assertEqual(peer.outcome(), OK, "after it")

    def test_more_calls_at_once_than_the_server_takes(self):
        """§5.1.2: a stream error of type PROTOCOL_ERROR or REFUSED_STREAM."""
        with self.attack(), Peer(self.target) as peer:
            peer.send(b"".join(wire.headers(stream=stream) for stream in range(1, 2 * 3000, 2)))
            found = peer.outcome()
            if not isinstance(found, GoAway):
                self.assertEqual(len(peer.resets), 2000, "beyond the 1000 that SETTINGS names")
                self.assertLessEqual(set(peer.resets.values()), {wire.REFUSED_STREAM, wire.PROTOCOL_ERROR})
            else:
                self.assertIn(found, {CALM, GoAway(wire.REFUSED_STREAM), GoAway(wire.PROTOCOL_ERROR)})
