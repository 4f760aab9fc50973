"""Bytes of HTTP/2 and gRPC, right or wrong: what a library would refuse to send is written here by hand."""

import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

# Frame types (RFC 9113 §6)
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
UNKNOWN = 0x4B  # an extension that nobody has agreed on

END_STREAM, END_HEADERS, PADDED, WITH_PRIORITY = 0x1, 0x4, 0x8, 0x20
ACK = 0x1

# Error codes (RFC 9113 §7)
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE_ERROR = range(7)
REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, ENHANCE_YOUR_CALM = range(7, 12)
ERROR_NAMES = (
    "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
    "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM")

# Settings (RFC 9113 §6.5.2)
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE = range(1, 7)

MAX_FRAME = 16_384
MAX_WINDOW = 2**31 - 1
DEFAULT_WINDOW = 65_535


def frame(kind, payload=b"", stream=0, flags=0, length=None):
    """`length`: what the frame says of itself, when that is not the truth."""
    count = len(payload) if length is None else length
    return count.to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream) + payload


def settings(*pairs, **options):
    return frame(SETTINGS, b"".join(struct.pack(">HI", *pair) for pair in pairs), **options)


def window_update(increment, stream=0):
    return frame(WINDOW_UPDATE, struct.pack(">I", increment), stream)


def reset(code=CANCEL, stream=1):
    return frame(RST_STREAM, struct.pack(">I", code), stream)


def ping(payload=b"hostile!", **options):
    return frame(PING, payload, **options)


def priority(depends_on=0, stream=1):
    return frame(PRIORITY, struct.pack(">IB", depends_on, 15), stream)


def go_away(last_stream=0, code=NO_ERROR, **options):
    return frame(GOAWAY, struct.pack(">II", last_stream, code), **options)


# HPACK (RFC 7541), without compression: what a block says does not depend on the blocks before it.

def integer(value, prefix_bits, first=0):
    """§5.1"""
    limit = (1 << prefix_bits) - 1
    if value < limit:
        return bytes([first | value])
    encoded, value = bytearray([first | limit]), value - limit
    while value >= 128:
        encoded.append(value & 127 | 128)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def text(value):
    """§5.2"""
    raw = value if isinstance(value, bytes) else value.encode()
    return integer(len(raw), 7) + raw


def literal(name, value, indexed=False):
    """§6.2: not put into the dynamic table, or put there."""
    return (b"\x40" if indexed else b"\x00") + text(name) + text(value)


def indexed(index):
    """§6.1"""
    return integer(index, 7, 0x80)


def block(*fields):
    return b"".join(literal(*field) for field in fields)


ECHO = "/benchmark.Echo/Synchronous"
ECHO_LATER = "/benchmark.Echo/Asynchronous"
PSEUDO = ((":method", "POST"), (":scheme", "http"), (":path", ECHO), (":authority", "test"))
REGULAR = (("te", "trailers"), ("content-type", "application/grpc"))
REQUEST = block(*PSEUDO, *REGULAR)


def request_block(*more, path=ECHO):
    """The fields of a call, and some more."""
    pseudo = [(name, path if name == ":path" else value) for name, value in PSEUDO]
    return block(*pseudo, *REGULAR, *more)


def headers(payload=REQUEST, stream=1, flags=END_HEADERS, end=False, **options):
    return frame(HEADERS, payload, stream, flags | (END_STREAM if end else 0), **options)


def continuation(payload=b"", stream=1, end=False):
    return frame(CONTINUATION, payload, stream, END_HEADERS if end else 0)


def long_headers(payload, stream=1, end=False):
    """HEADERS and as many CONTINUATIONs as it takes."""
    parts = [payload[at:at + MAX_FRAME] for at in range(0, len(payload), MAX_FRAME)]
    frames = [headers(parts[0], stream, END_HEADERS if len(parts) == 1 else 0, end)]
    frames += [continuation(part, stream, part is parts[-1]) for part in parts[1:]]
    return b"".join(frames)


def data(payload=b"", stream=1, end=False, flags=0, **options):
    return frame(DATA, payload, stream, flags | (END_STREAM if end else 0), **options)


def message(payload=b"", announced=None, compressed=0):
    """A message of gRPC with its prefix."""
    return struct.pack(">BI", compressed, len(payload) if announced is None else announced) + payload


def long_data(payload, stream=1, end=False):
    """DATA frames of the size that every peer takes."""
    parts = [payload[at:at + MAX_FRAME] for at in range(0, len(payload), MAX_FRAME)]
    return b"".join(data(part, stream, end and part is parts[-1]) for part in parts)


def call(payload=b"hello", stream=1, fields=REQUEST):
    """A whole unary call."""
    return headers(fields, stream) + long_data(message(payload), stream, end=True)
