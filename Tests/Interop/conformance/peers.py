"""The implementations that call each other. Each has a server and a client with the same arguments:

    SERVER ADDRESS [CERTIFICATE KEY]      says "listening on ADDRESS" once it does
    CLIENT TARGET CASE [CA]               runs one case; exit status 0 when all was as it should be
"""

import os
import sys

from conformance.building import build
from conformance.cplusplus import build_peer
from stack import BIN, ROOT

PROTO = os.path.join(ROOT, "Tests", "Interop", "proto")
BUILD = os.path.join(ROOT, ".build", "interop")


class Swift:
    """Shared/RPC."""

    name = "Swift"

    @classmethod
    def prepare(cls):
        build("the Swift peer", ["swift", "build", "--package-path", ROOT, "-c", "release", "--product", "interop-peer"])

    @staticmethod
    def command(role):
        return [os.path.join(BIN, "interop-peer"), role]


class Grpcio:
    """gRPC core under Python."""

    name = "Grpcio"
    descriptors = os.path.join(BUILD, "testing.pb")

    @classmethod
    def prepare(cls):
        os.makedirs(BUILD, exist_ok=True)
        build("the descriptors", ["protoc", "-I", PROTO, "--include_imports", "--descriptor_set_out", cls.descriptors,
                                  "grpc/testing/test.proto"])

    @classmethod
    def command(cls, role):
        return [sys.executable, os.path.join(ROOT, "Tests", "Interop", "Python", f"{role}.py"), cls.descriptors]


class CPlusPlus:
    """Debian's gRPC C++."""

    name = "CPlusPlus"

    @classmethod
    def prepare(cls):
        build_peer(os.path.join(ROOT, "Tests", "Interop", "CPlusPlus"), PROTO, BUILD)

    @staticmethod
    def command(role):
        return [os.path.join(BUILD, role)]
