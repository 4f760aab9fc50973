"""Field blocks that do not decode (RFC 7541), and requests that are malformed (RFC 9113 §8)."""

import wire
from attack import Case, HostileTest
from outcome import CALM, OK, Http, Reset, Status, connection_error, malformed

COMPRESSION = connection_error(wire.COMPRESSION_ERROR)
MALFORMED = malformed()
UNAVAILABLE, UNIMPLEMENTED, RESOURCE_EXHAUSTED, INTERNAL = (Status(code) for code in (14, 12, 8, 13))


def hpack(name, section, block):
    return Case(name, "RFC 7541 " + section, wire.headers(block), COMPRESSION)


HPACK = [
    hpack("index 0", "§6.1", wire.REQUEST + b"\x80"),
    hpack("an index that the table does not have", "§2.3.3", wire.REQUEST + wire.indexed(62)),
    hpack("a huge index", "§2.3.3", wire.REQUEST + wire.indexed(2**31)),
    hpack("a name by an index that the table does not have", "§2.3.3", wire.REQUEST + b"\x7f\xff\x01" + wire.text("v")),
    hpack("an integer without end", "§5.1", wire.REQUEST + b"\xff" * 40),
    hpack("an integer over 2^64", "§5.1", wire.REQUEST + b"\xff" + b"\xff" * 9 + b"\x7f"),
    hpack("a table larger than the limit", "§6.3", wire.integer(4097, 5, 0x20) + wire.REQUEST),
    hpack("a table's new size behind a field", "§4.2", wire.REQUEST + b"\x20"),
    hpack("a text longer than the block", "§5.2", wire.REQUEST + b"\x00\x7f" + b"short"),
    hpack("a text of 2^32 bytes", "§5.2", wire.REQUEST + b"\x00" + wire.integer(2**32, 7) + b"short"),
    hpack("a field without its value", "§6.2", wire.REQUEST + b"\x00" + wire.text("name")),
    hpack("Huffman: end of string", "§5.2", wire.REQUEST + b"\x00" + wire.text("a") + b"\x84\xff\xff\xff\xff"),
    hpack("Huffman: padding of more than 7 bits", "§5.2", wire.REQUEST + b"\x00" + wire.text("a") + b"\x82\x1f\xff"),
    hpack("Huffman: padding of zeros", "§5.2", wire.REQUEST + b"\x00" + wire.text("a") + b"\x81\x18"),
]


def request(name, section, *fields, allowed=MALFORMED):
    return Case(name, section, wire.headers(wire.block(*fields)), allowed)


def regular(name, section, *more, allowed=MALFORMED):
    return request(name, section, *wire.PSEUDO, *wire.REGULAR, *more, allowed=allowed)


def without(name):
    return [field for field in wire.PSEUDO if field[0] != name]


NAMES = [
    regular("an uppercase name", "§8.2.1", ("X-Upper", "v")),
    regular("an empty name", "§8.2.1", ("", "v")),
    regular("a blank in a name", "§8.2.1", ("a b", "v")),
    regular("a colon in a name", "§8.2.1", ("a:b", "v")),
    regular("NUL in a name", "§8.2.1", ("a\0b", "v")),
    regular("a byte over 0x7e in a name", "§8.2.1", (b"a\xe4", "v")),
    regular("NUL in a value", "§8.2.1", ("a", "b\0c")),
    regular("CR in a value", "§8.2.1", ("a", "b\rc")),
    regular("LF in a value", "§8.2.1", ("a", "b\nc: d")),
    # Malformed for HTTP/2, for gRPC's servers to strip ("ASCII-Value").
    Case("blanks around a value", "§8.2.1", wire.headers(wire.request_block(("a", " b ")))
         + wire.data(wire.message(b"hello"), end=True), MALFORMED | {OK}),
]

PSEUDO = [
    *(request(f"no {name}", "§8.3.1", *without(name), *wire.REGULAR) for name in (":method", ":scheme", ":path")),
    *(request(f"{name} twice", "§8.3.1", *wire.PSEUDO, (name, value), *wire.REGULAR) for name, value in wire.PSEUDO),
    request("an empty path", "§8.3.1", *without(":path"), (":path", ""), *wire.REGULAR),
    request("one that nobody knows", "§8.3", *wire.PSEUDO, (":unknown", "v"), *wire.REGULAR),
    request("one of responses", "§8.3", *wire.PSEUDO, (":status", "200"), *wire.REGULAR),
    request("behind another field", "§8.3", *without(":path"), *wire.REGULAR, (":path", wire.ECHO)),
    Case("in trailers", "§8.3", wire.headers() + wire.headers(wire.block((":path", wire.ECHO)), end=True), MALFORMED),
    Case("trailers that do not end the stream", "§8.1", wire.headers() + wire.headers(wire.block(("a", "b"))),
         MALFORMED),
]

CONNECTION = [
    *(regular(name, "§8.2.2", (name, value)) for name, value in (
        ("connection", "close"), ("keep-alive", "timeout=5"), ("proxy-connection", "close"),
        ("transfer-encoding", "chunked"), ("upgrade", "h2c"))),
    regular("te that is more than trailers", "§8.2.2", ("te", "gzip")),
]


def length(name, value, payload=wire.message(b"hello")):
    block = wire.request_block(*[("content-length", each) for each in value])
    return Case(name, "§8.1.1", wire.headers(block) + wire.data(payload, end=True), MALFORMED)


LENGTH = [
    length("more than there is", ["11"]),
    length("less than there is", ["9"]),
    length("less than there is, by far", ["0"]),
    length("two that differ", ["10", "11"]),
    length("not a number", ["ten"]),
    length("negative", ["-10"]),
    length("over 2^64", ["18446744073709551626"]),
    Case("the right one", "§8.1.1", wire.headers(wire.request_block(("content-length", "10")))
         + wire.data(wire.message(b"hello"), end=True), {OK}),
]

GRPC = [
    Case("a method that is not there", "statuscodes.md",
         wire.headers(wire.request_block(path="/no.such/Method"), end=True), {UNIMPLEMENTED}),
    Case("an empty service", "statuscodes.md", wire.headers(wire.request_block(path="/")), {UNIMPLEMENTED}),
    Case("a path of 8 KB", "statuscodes.md", wire.headers(wire.request_block(path="/" + "x" * 8000), end=True),
         {UNIMPLEMENTED}),
    # PROTOCOL-HTTP2.md, "Content-Type".
    request("an HTML page", "PROTOCOL-HTTP2.md", *wire.PSEUDO, ("te", "trailers"), ("content-type", "text/html"),
            allowed={Http(415)}),
    request("a GET request", "PROTOCOL-HTTP2.md", (":method", "GET"), *without(":method"), *wire.REGULAR,
            allowed={Http(405)}),
    regular("a deadline that is no number", "PROTOCOL-HTTP2.md", ("grpc-timeout", "soonS"),
            allowed={INTERNAL, Status(3)}),
    regular("an encoding that nobody knows", "compression.md", ("grpc-encoding", "rot13"), allowed={UNIMPLEMENTED}),
]

# A list that is longer than the server takes is answered (§10.5.1, HTTP 431; gRPC's own word for it is
# RESOURCE_EXHAUSTED), or refused, or the one that sends it is (§10.5). Not to decode it ends the connection (§4.3).
TOO_LARGE = COMPRESSION | {
    Http(431), RESOURCE_EXHAUSTED, Reset(wire.ENHANCE_YOUR_CALM), Reset(wire.REFUSED_STREAM), CALM}
LARGE_VALUE = "v" * 4000

LARGE = [
    Case("1 MiB in one field", "§10.5.1", wire.long_headers(wire.request_block(("a", "v" * (1 << 20)))), TOO_LARGE),
    Case("1 MiB in many fields", "§10.5.1", wire.long_headers(wire.request_block(*[("a", "v" * 100)] * 10_000)),
         TOO_LARGE),
    Case("1 MiB of empty fields", "§6.5.2", wire.long_headers(wire.request_block(*[("a", "")] * 250_000)), TOO_LARGE),
    # Each byte stands for 4 000 ("HPACK bomb", CVE-2016-6581).
    Case("16 000 references to one large entry", "§10.5.1",
         wire.headers(wire.block(*wire.PSEUDO, *wire.REGULAR, ("a", LARGE_VALUE, True)) + b"\xbe" * 12_000), TOO_LARGE),
    Case("references in many frames", "§10.5.1",
         wire.long_headers(wire.block(*wire.PSEUDO, *wire.REGULAR, ("a", LARGE_VALUE, True))
                           + b"\xbe" * 200_000), TOO_LARGE),
    Case("12 KB of headers", "§10.5.1", wire.long_headers(wire.request_block(("a", "v" * 12_000)))
         + wire.data(wire.message(b"hello"), end=True), {OK}),
]


class Headers(HostileTest):
    def test_blocks_that_do_not_decode(self):
        self.check(HPACK)

    def test_names_and_values(self):
        self.check(NAMES)

    def test_pseudo_header_fields(self):
        self.check(PSEUDO)

    def test_fields_of_http_1(self):
        self.check(CONNECTION)

    def test_content_length(self):
        self.check(LENGTH)

    def test_requests_that_are_not_calls(self):
        self.check(GRPC)

    def test_more_than_anyone_needs(self):
        self.check(LARGE)

    def test_block_that_was_refused_still_counts_for_the_table(self):
        """§4.3: the table is the connection's, whatever becomes of the stream."""
        malformed_block = wire.block(*wire.PSEUDO, *wire.REGULAR, ("X-Upper", "v"), ("content-length", "11", True))
        # A length that does not fit, by its index: unless the table has it, the block does not decode.
        again = wire.call(b"hello", 3, wire.REQUEST + wire.indexed(62))
        self.check([Case("indexed later", "§4.3", wire.headers(malformed_block) + again, MALFORMED, stream=3)])
