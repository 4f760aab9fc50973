"""Connections that are slow, silent or too many."""

import resource
import socket
import struct
import time

import wire
from attack import HostileTest, memory_kib
from outcome import OK, GoAway
from peer import Peer, connect, ready
from waiting import wait_until

IDLE = 10_000
IDLE_KIB = 16  # of the server's memory for each
# A server that waits for ever for a client to begin has as many of them as anyone likes.
HANDSHAKE_PATIENCE_S = 30


def raise_descriptor_limit(wanted):
    """For this process and those that it starts. Whether there are as many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted:
        return True
    for most in (hard, wanted):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(most, wanted)))
            return True
        except (ValueError, OSError):
            continue
    return False


class Connections(HostileTest):
    @classmethod
    def setUpClass(cls):
        # The server takes as many connections as three quarters of its descriptors.
        cls.enough = raise_descriptor_limit(IDLE // 3 * 4 + 1000)
        super().setUpClass()

    def idle_connections(self):
        """As many as nobody needs, each with its greetings exchanged."""
        opened = []
        for _ in range(IDLE):
            made = connect(self.target)
            made.setblocking(True)
            # Closed by a reset, so that its port is free at once.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            made.sendall(wire.PREFACE + wire.settings() + wire.settings(flags=wire.ACK))
            opened.append(made)
        # The server takes them in turn: when it has answered the last one, it has all of them.
        with Peer(self.target) as last:
            last.round_trip()
        return opened

    def test_ten_thousand_that_say_nothing(self):
        if not self.enough:
            self.skipTest(f"needs {IDLE // 3 * 4 + 1000} descriptors: raise the hard limit (ulimit -Hn) and run it again")
        before = memory_kib(self.server.pid)
        with self.attack(growth_mib=IDLE * IDLE_KIB / 1024):
            opened = self.idle_connections()
            try:
                each = (memory_kib(self.server.pid) - before) / IDLE
                print(f"        {each:.1f} KiB of memory for each idle connection", flush=True)
                with Peer(self.target) as peer:
                    peer.send(wire.call())
                    self.assertEqual(peer.outcome(), OK)
                self.neighbour.wait_for_more(100)
                self.assertTrue(opened[0].recv(1 << 16), "SETTINGS of the first one")
                self.assertFalse(ready(opened[0], True, False, 0)[0], "the first one has been closed")
            finally:
                for made in opened:
                    made.close()
            peak = memory_kib(self.server.pid, "VmHWM")
        # What they took is there for the next ones.
        wait_until(lambda: self.server.descriptors() < IDLE // 100, "the server to close them")
        with self.attack(growth_mib=(peak - memory_kib(self.server.pid)) / 1024 + 8):
            for made in self.idle_connections():
                made.close()

    def test_that_send_byte_by_byte(self):
        raw = wire.PREFACE + wire.settings() + wire.settings(flags=wire.ACK) + wire.call()
        with self.attack():
            peers = [Peer(self.target, preface=False) for _ in range(50)]
            try:
                for at in range(len(raw)):
                    for peer in peers:
                        peer.send(raw[at:at + 1])
                self.assertEqual({peer.outcome() for peer in peers}, {OK})
            finally:
                for peer in peers:
                    peer.socket.close()

    def test_that_read_byte_by_byte(self):
        with self.attack():
            reader = connect(self.target)
            with reader:
                reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
                reader.setblocking(True)
                reader.settimeout(30)
                reader.sendall(wire.PREFACE + wire.settings() + wire.call(b"x" * 1000))
                got = b""
                while b"x" * 1000 not in got:
                    byte = reader.recv(1)
                    self.assertTrue(byte, "the server has closed")
                    got += byte

    def test_that_never_acknowledge_settings(self):
        """§6.5.3 permits an end with SETTINGS_TIMEOUT; calls are served until then."""
        with self.attack(), Peer(self.target, acknowledges=False) as peer:
            peer.send(wire.call())
            self.assertIn(peer.outcome(), {OK, GoAway(wire.SETTINGS_TIMEOUT)})

    def test_half_open_ones_end_by_themselves(self):
        begun = {
            "nothing at all": b"", "half of the preface": wire.PREFACE[:12], "the preface alone": wire.PREFACE,
            "half a frame of SETTINGS": wire.PREFACE + wire.settings((wire.ENABLE_PUSH, 0))[:11],
        }
        with self.attack():
            peers = {name: Peer(self.target, preface=False) for name in begun}
            for name, raw in begun.items():
                peers[name].send(raw)
            # Each byte of this one shows that it is alive, but it never gets anywhere.
            slow, left = Peer(self.target, preface=False), wire.PREFACE + wire.settings()
            deadline = time.monotonic() + HANDSHAKE_PATIENCE_S
            while slow.wait_a_moment(1) and time.monotonic() < deadline:
                slow.send(left[:1])
                left = left[1:] or left
            self.assertTrue(slow.closed, "the one that sends a byte a second")
            slow.socket.close()
            for name, peer in peers.items():
                with self.subTest(name), peer:
                    peer.wait_closed(max(1, deadline - time.monotonic()))
