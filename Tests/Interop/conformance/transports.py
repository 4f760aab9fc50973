"""What carries the calls. An instance is one server's: where it listens, and what its clients have to know."""

import os

from conformance.certificates import make_certificates


class TCP:
    name = "TCP"

    def __init__(self, folder):
        """`folder` is there for as long as the server."""
        self.server_arguments = ["127.0.0.1:0"]

    def client_arguments(self, address, case):
        """`address`: where the server says that it listens."""
        return [address, case]


class Unix(TCP):
    name = "Unix"

    def __init__(self, folder):
        self.server_arguments = [f"unix:{os.path.join(folder, 'socket')}"]


class TLS(TCP):
    """TLS over TCP. Clients check the server's certificate and its name."""

    name = "TLS"

    def __init__(self, folder):
        certificate, key, self.authority = make_certificates(folder)
        self.server_arguments = ["127.0.0.1:0", certificate, key]

    def client_arguments(self, address, case):
        port = address.rpartition(":")[2]
        return [f"localhost:{port}", case, self.authority]
