"""Connections that do not begin as HTTP/2's do."""

import random

import wire
from attack import HostileTest
from outcome import Closed, GoAway
from peer import Peer

# A client that offers HTTP/2 by TLS, to a port without it: the beginning of a ClientHello.
TLS_HELLO = bytes.fromhex("16030102000100") + bytes(509)
NOT_SETTINGS = {
    "PING first": wire.ping(),
    "HEADERS first": wire.headers(end=True),
    "WINDOW_UPDATE first": wire.window_update(1000),
    "an acknowledgement of SETTINGS first": wire.settings(flags=wire.ACK),
    "an unknown frame first": wire.frame(wire.UNKNOWN, b"x"),
}


class Preface(HostileTest):
    # §3.4: a connection error of type PROTOCOL_ERROR; the GOAWAY may be left out, as the peer may not speak HTTP/2 at all.
    ALLOWED = frozenset({GoAway(wire.PROTOCOL_ERROR), Closed()})

    def check_bytes(self, cases):
        for name, raw in cases.items():
            with self.subTest(name), self.attack(), Peer(self.target, preface=False) as peer:
                peer.send(raw)
                peer.wait_closed()
                found = GoAway(peer.go_away) if peer.go_away is not None else Closed()
                self.assertIn(found, self.ALLOWED, f"{name}: {found}")

    def test_what_is_not_http2_is_sent_away(self):
        noise = random.Random(7).randbytes(1 << 16)
        self.check_bytes({
            "HTTP/1.1": b"GET / HTTP/1.1\r\nHost: test\r\n\r\n",
            "HTTP/1.1 that asks for h2c":
                b"GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
            "TLS": TLS_HELLO,
            "noise": noise,
            "zeros": bytes(1 << 16),
            "the last byte is wrong": wire.PREFACE[:-1] + b"\r" + wire.settings(),
            "the preface with another case": wire.PREFACE.lower() + wire.settings(),
        })

    def test_preface_is_followed_by_settings(self):
        self.check_bytes({name: wire.PREFACE + first for name, first in NOT_SETTINGS.items()})

    def test_client_that_leaves_in_the_middle_of_the_preface_costs_nothing(self):
        with self.attack():
            for cut in range(len(wire.PREFACE)):
                with Peer(self.target, preface=False) as peer:
                    peer.send(wire.PREFACE[:cut])

    def test_many_that_send_noise_leave_no_descriptor_behind(self):
        before = self.server.descriptors()
        with self.attack():
            for _ in range(500):
                with Peer(self.target, preface=False) as peer:
                    peer.send(b"noise\r\n" * 10)
                    peer.wait_closed()
            self.assertLessEqual(self.server.descriptors(), before + 1)
