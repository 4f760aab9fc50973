"""gRPC's standard interoperability cases: ours against other implementations, both ways, over everything that carries calls.

One class a pair and transport, such as SwiftClientGrpcioServerOverTCP; one test a case.
Source: gRPC's doc/interop-test-descriptions.md.
"""

import unittest

from conformance.peers import CPlusPlus, Grpcio, Swift
from conformance.processes import RunningServer, run_case
from conformance.transports import TCP, TLS, Unix

PAIRS = [(Swift, Grpcio), (Swift, CPlusPlus), (Grpcio, Swift), (CPlusPlus, Swift), (Swift, Swift)]  # client, server
TRANSPORTS = [TCP, Unix, TLS]

def setUpModule():
    for peer in {peer for pair in PAIRS for peer in pair}:
        peer.prepare()


class Cases:
    """What every client finds at every server."""

    client = server = transport = None

    @classmethod
    def setUpClass(cls):
        cls.running = cls.enterClassContext(RunningServer(cls.server, cls.transport))

    def run_case(self):
        run_case(self.client, self.running, self._testMethodName.removeprefix("test_"))

    def test_empty_unary(self): self.run_case()
    def test_large_unary(self): self.run_case()
    def test_concurrent_large_unary(self): self.run_case()
    def test_client_streaming(self): self.run_case()
    def test_server_streaming(self): self.run_case()
    def test_ping_pong(self): self.run_case()
    def test_empty_stream(self): self.run_case()
    def test_client_compressed_unary(self): self.run_case()
    def test_server_compressed_unary(self): self.run_case()
    def test_client_compressed_streaming(self): self.run_case()
    def test_server_compressed_streaming(self): self.run_case()
    def test_custom_metadata(self): self.run_case()
    def test_status_code_and_message(self): self.run_case()
    def test_special_status_message(self): self.run_case()
    def test_unimplemented_method(self): self.run_case()
    def test_unimplemented_service(self): self.run_case()
    def test_cancel_after_begin(self): self.run_case()
    def test_cancel_after_first_response(self): self.run_case()
    def test_timeout_on_sleeping_server(self): self.run_case()


for client, server in PAIRS:
    for transport in TRANSPORTS:
        name = f"{client.name}Client{server.name}ServerOver{transport.name}"
        members = {"client": client, "server": server, "transport": transport}
        globals()[name] = type(name, (Cases, unittest.TestCase), members)


if __name__ == "__main__":
    unittest.main()
