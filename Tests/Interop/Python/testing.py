"""`grpc.testing`: its messages, its methods and the little that server and client share."""

import sys
from typing import NamedTuple
import zlib

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

ECHO_INITIAL = "x-grpc-test-echo-initial"
ECHO_TRAILING = "x-grpc-test-echo-trailing-bin"
SERVICE = "grpc.testing.TestService"
OPTIONS = [
    # A port that was just given back to the system is not to be shared with another server.
    ("grpc.so_reuseport", 0),
    ("grpc.enable_http_proxy", 0),
    # grpcio does not tell whether a message came compressed. So it passes such messages on as they are: see `received`.
    ("grpc.per_message_decompression", 0),
]
GZIP_MAGIC = b"\x1f\x8b"  # no message begins so: it would be field 3 with a wire type that does not exist


class Received(NamedTuple):
    message: object
    compressed: bool


def received(kind):
    """What makes a `Received` out of a message's bytes."""

    def read(data):
        compressed = data.startswith(GZIP_MAGIC)
        return Received(kind.FromString(zlib.decompress(data, wbits=31) if compressed else data), compressed)

    return read


class Testing:
    """Messages as in `testing.SimpleRequest(response_size=3)`."""

    def __init__(self, descriptor_set):
        self._pool = descriptor_pool.DescriptorPool()
        for file in descriptor_pb2.FileDescriptorSet.FromString(read(descriptor_set)).file:
            self._pool.Add(file)

    def __getattr__(self, name):
        return message_factory.GetMessageClass(self._pool.FindMessageTypeByName(f"grpc.testing.{name}"))

    def methods(self, service):
        """(name, path, shape, request class, response class) of each; shape is grpcio's, such as "unary_stream"."""
        for method in self._pool.FindServiceByName(service).methods:
            sides = ("stream" if streams else "unary" for streams in (method.client_streaming, method.server_streaming))
            yield (method.name, f"/{service}/{method.name}", "_".join(sides),
                   message_factory.GetMessageClass(method.input_type),
                   message_factory.GetMessageClass(method.output_type))


def read(path):
    with open(path, "rb") as file:
        return file.read()


def usage(text):
    print("usage:", text)
    sys.exit(2)
