"""Messages of gRPC that are not what they say (gRPC's PROTOCOL-HTTP2.md, compression.md and statuscodes.md)."""

import gzip
import unittest

import grpc
import wire
from attack import MIB, Case, HostileTest, memory_kib
from bus import STOCK
from outcome import OK, Status
from peer import Peer
from reflected import channel
from stack import Stack

LIMIT = 4 * MIB
RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL = frozenset({Status(8)}), frozenset({Status(12)}), frozenset({Status(13)})


def body(name, section, raw, allowed, end=True, growth_mib=8, **fields):
    block = wire.request_block(*[(name.replace("_", "-"), value) for name, value in fields.items()])
    return Case(name, section, lambda peer: (peer.send(wire.headers(block)), peer.send_data(raw, 1, end)), allowed,
                growth_mib=growth_mib)


MESSAGES = [
    body("cut off", "statuscodes.md", wire.message(b"hello", announced=10), INTERNAL),
    body("a prefix cut off", "statuscodes.md", b"\0\0\0", INTERNAL),
    body("two where one belongs", "statuscodes.md", wire.message(b"a") + wire.message(b"b"), UNIMPLEMENTED),
    Case("none where one belongs", "statuscodes.md", wire.headers(end=True), UNIMPLEMENTED),
    body("a byte behind it", "statuscodes.md", wire.message(b"a") + b"\0", UNIMPLEMENTED | INTERNAL),
    # Refused as soon as the prefix is there: the client need not send it first.
    body("one byte over the limit", "statuscodes.md", wire.message(announced=LIMIT + 1), RESOURCE_EXHAUSTED, end=False),
    body("2^32-1 bytes", "statuscodes.md", wire.message(b"x", announced=2**32 - 1), RESOURCE_EXHAUSTED, end=False),
    body("2^31 bytes", "statuscodes.md", wire.message(b"x", announced=2**31), RESOURCE_EXHAUSTED, end=False),
    body("compressed without an encoding", "compression.md", wire.message(gzip.compress(b"x"), compressed=1), INTERNAL),
    # 64 MiB of zeros are over the limit of 4, up to which they are unpacked: into a buffer that is copied as it grows.
    body("a compressed bomb", "compression.md", wire.message(gzip.compress(bytes(64 * MIB)), compressed=1),
         RESOURCE_EXHAUSTED, growth_mib=16, grpc_encoding="gzip"),
    body("what only says that it is compressed", "compression.md", wire.message(b"\x1f\x8bnonsense", compressed=1),
         INTERNAL, grpc_encoding="gzip"),
    body("half of what was compressed", "compression.md", wire.message(gzip.compress(bytes(1000))[:12], compressed=1),
         INTERNAL, grpc_encoding="gzip"),
    body("compressed with identity", "compression.md", wire.message(b"x", compressed=1), INTERNAL,
         grpc_encoding="identity"),
    *(body(f"a compressed flag of {flag}", "PROTOCOL-HTTP2.md", wire.message(b"x", compressed=flag), INTERNAL)
      for flag in (2, 255)),
]


class Messages(HostileTest):
    def test_messages(self):
        self.check(MESSAGES)

    def test_largest_message_that_is_taken(self):
        with self.attack(growth_mib=32), Peer(self.target, settings=[(wire.INITIAL_WINDOW_SIZE, 2 * LIMIT)]) as peer:
            peer.send(wire.window_update(2 * LIMIT) + wire.headers())
            peer.send_data(wire.message(bytes(LIMIT)), 1, end=True)
            peer.wait(lambda: 1 in peer.ended, "the answer")
            self.assertEqual((peer.outcome(), peer.received[1]), (OK, LIMIT + 5))

    def test_message_in_single_bytes(self):
        with self.attack(), Peer(self.target) as peer:
            peer.send(wire.headers())
            peer.send_data(wire.message(b"hello" * 200), 1, end=True, frame_size=1)
            self.assertEqual(peer.outcome(), OK)


def nested_json(levels):
    return b'{"a":' * levels + b"1" + b"}" * levels


def field(number, raw):
    """Length-delimited, as protobuf writes texts, bytes and messages."""
    return wire.integer(number << 3 | 2, 7) + varint(len(raw)) + raw


def varint(value):
    encoded = bytearray()
    while value >= 128:
        encoded.append(value & 127 | 128)
        value >>= 7
    return bytes([*encoded, value])


def nested_fields(number, levels):
    raw = b""
    for _ in range(levels):
        raw = field(number, raw)
    return raw


LEVELS = 10_000
CONSUME = "/omsconnector.internal.v1.MessageConsumerService/Consume"
GET_STOCK = f"/{STOCK}/GetStock"
CONSUMED = field(1, b'"d-1"') + field(2, b"magento.inventory.aggregate_stock_management.updated") + field(3, b"A")
# Found to be wrong by protobuf (INTERNAL, as statuscodes.md has it, or what the service says of its arguments) or, where
# the content is nobody's business, not at all: then there is no such stock.
BAD = {grpc.StatusCode.INTERNAL, grpc.StatusCode.INVALID_ARGUMENT}
NESTED = {
    "groups": (GET_STOCK, b"\x1b" * LEVELS + b"\x1c" * LEVELS, BAD),
    "groups without an end": (GET_STOCK, b"\x1b" * LEVELS, BAD),
    "fields that nobody knows": (
        GET_STOCK, field(1, b"A") + field(2, b"S") + nested_fields(9, LEVELS), {grpc.StatusCode.NOT_FOUND}),
    "fields that are texts": (
        GET_STOCK, field(1, nested_fields(1, LEVELS)) + field(2, b"S"), BAD | {grpc.StatusCode.NOT_FOUND}),
    "a snapshot within a snapshot": (f"/{STOCK}/ApplyStockSnapshot", nested_fields(1, LEVELS), BAD),
    "JSON objects": (CONSUME, CONSUMED + field(4, nested_json(LEVELS)), BAD),
    "JSON arrays": (CONSUME, CONSUMED + field(4, b'{"snapshot":' + b"[" * LEVELS + b"]" * LEVELS + b"}"), BAD),
    "JSON arrays without an end": (CONSUME, CONSUMED + field(4, b"[" * 1_000_000), BAD),
    "JSON within the snapshot": (
        CONSUME,
        CONSUMED + field(4, b'{"snapshot":{"aggregate_id":"A","mode":"FULL","stock":[' + nested_json(LEVELS) + b"]}}"), BAD),
}


class Nested(unittest.TestCase):
    """Decoders that call themselves for every level would run out of stack."""

    def test_ten_thousand_levels(self):
        with Stack(services=("inventory",)) as stack, channel(stack.socket("inventory-1")) as open_channel:
            before = memory_kib(stack.inventory.pid)
            for name, (method, raw, allowed) in NESTED.items():
                with self.subTest(name), self.assertRaises(grpc.RpcError) as caught:
                    open_channel.unary_unary(method)(raw, timeout=30)
                self.assertIn(caught.exception.code(), allowed, f"{name}: {caught.exception.details()}")
            self.assertTrue(stack.inventory.running)
            self.assertLess((memory_kib(stack.inventory.pid, "VmHWM") - before) / 1024, 32, "MiB")
