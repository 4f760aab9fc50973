"""Who gets in: tokens, certificates, users; and what is reread without a restart."""

import http.client
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import grpc
from reflected import channel as plain_channel
from stack import BIN, ROOT, Stack, free_address
from waiting import wait_until

TOKEN, OTHER = "a-token-of-the-shop-1", "another-token-of-it-2"
REGISTRATION = "/omsconnector.v1.GatewayService/GetRegistration"
HEALTH = "/grpc.health.v1.Health/Check"
REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
LIST_SERVICES = b"\x3a\x00"  # its request with list_services = ""
TIMINGS = "/omsconnector.internal.v1.TimingService/GetTimings"
TIMEOUT_S = 20


def call(channel, path, token=None):
    """The status code of a call without a message's content, and its text."""
    metadata = [("authorization", f"Bearer {token}")] if token else None
    try:
        channel.unary_unary(path)(b"", timeout=TIMEOUT_S, metadata=metadata)
        return grpc.StatusCode.OK, ""
    except grpc.RpcError as error:
        return error.code(), error.details()


def run_gateway(stack, **changes):
    """A gateway that is expected to end by itself."""
    environment = {**stack.gateway.environment, **changes}
    return subprocess.run([os.path.join(BIN, "gateway")], env=environment, capture_output=True, text=True, timeout=30)


class Folder(unittest.TestCase):
    """A folder for the files of a test."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="oms-security-")
        self.addCleanup(shutil.rmtree, self.folder)

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(path + ".new", path)
        return path

    def reload(self, process, what):
        """SIGHUP, and the line of the log that says how it went."""
        before = process.log().count(f'"what":"{what}"')
        process.signal(signal.SIGHUP)
        wait_until(lambda: process.log().count(f'"what":"{what}"') > before, f"{what} to be read again")
        return [line for line in process.log().splitlines() if f'"what":"{what}"' in line][-1]


class Refusals(Folder):
    def setUp(self):
        super().setUp()
        self.stack = Stack(services=("gateway",))  # not started: for its folders and settings
        self.addCleanup(self.stack.__exit__)

    def test_gateway_refuses_to_start_when_nothing_says_who_may_call(self):
        ended = run_gateway(self.stack, GATEWAY_INSECURE="")
        self.assertEqual(ended.returncode, 2, ended.stderr)
        for word in ("GATEWAY_TOKENS_FILE", "GATEWAY_INSECURE=1", self.stack.grpc):
            self.assertIn(word, ended.stderr)

    def test_gateway_refuses_files_of_tokens_that_are_none(self):
        cases = {"": "empty", "# nobody\n": "no token", f"shop:{TOKEN}\nshort\n": "line 2"}
        for text, word in cases.items():
            with self.subTest(text):
                path = self.file("tokens", text)
                ended = run_gateway(self.stack, GATEWAY_INSECURE="", GATEWAY_TOKENS_FILE=path)
                self.assertEqual(ended.returncode, 2, ended.stderr)
                for part in ("GATEWAY_TOKENS_FILE", path, word):
                    self.assertIn(part, ended.stderr)
                self.assertNotIn(TOKEN, ended.stderr)

    def test_tokens_and_insecure_exclude_each_other(self):
        ended = run_gateway(self.stack, GATEWAY_TOKENS_FILE=self.file("tokens", TOKEN))
        self.assertEqual(ended.returncode, 2, ended.stderr)

    def test_certificates_that_cannot_be_used_stop_the_start(self):
        ended = run_gateway(self.stack, TLS_CERTIFICATE_FILE="/nowhere/c.pem", TLS_KEY_FILE="/nowhere/c.key")
        self.assertEqual(ended.returncode, 2, ended.stderr)
        self.assertIn("/nowhere/c.pem", ended.stderr)


class Tokens(Folder):
    def setUp(self):
        super().setUp()
        self.tokens = self.file("tokens", f"# the shop\nshop:{TOKEN}\n")
        self.stack = Stack(services=("gateway",), gateway_tokens_file=self.tokens, gateway_insecure="")
        self.addCleanup(self.stack.__exit__)
        self.stack.start()
        self.channel = plain_channel(self.stack.grpc)
        self.addCleanup(self.channel.close)

    def test_calls_on_tcp_need_a_token(self):
        for path in (REGISTRATION, "/omsconnector.v1.InventoryService/GetStock", "/no.such.Service/Method", TIMINGS):
            for token in (None, OTHER, TOKEN[:-1], TOKEN + "x", "shop:" + TOKEN):
                with self.subTest(path=path, token=token):
                    code, text = call(self.channel, path, token)
                    self.assertEqual(code, grpc.StatusCode.UNAUTHENTICATED, text)
                    self.assertIn("token", text)
        self.assertEqual(call(self.channel, REGISTRATION, TOKEN)[0], grpc.StatusCode.OK)
        self.assertEqual(call(self.channel, "/no.such.Service/Method", TOKEN)[0], grpc.StatusCode.UNIMPLEMENTED)

    def test_the_scheme_is_case_insensitive_and_no_other_will_do(self):
        method = self.channel.unary_unary(REGISTRATION)
        for value, good in ((f"bearer {TOKEN}", True), (f"BEARER {TOKEN}", True), (f"Basic {TOKEN}", False), (TOKEN, False)):
            with self.subTest(value):
                try:
                    method(b"", timeout=TIMEOUT_S, metadata=[("authorization", value)])
                    self.assertTrue(good)
                except grpc.RpcError as error:
                    self.assertFalse(good, error.details())
                    self.assertEqual(error.code(), grpc.StatusCode.UNAUTHENTICATED)

    def test_probes_and_the_unix_socket_need_none(self):
        self.assertEqual(call(self.channel, HEALTH)[0], grpc.StatusCode.OK)
        with plain_channel(self.stack.socket("gateway")) as socket:
            self.assertEqual(call(socket, REGISTRATION)[0], grpc.StatusCode.OK)

    def test_the_journal_says_whose_token_it_was_whatever_the_client_says(self):
        connection = http.client.HTTPConnection(self.stack.http, timeout=TIMEOUT_S)
        self.addCleanup(connection.close)
        connection.request("POST", "/service-bus", b"no message")
        self.assertIn(b"-32700", connection.getresponse().read())
        done = self.stack.omsctl(
            "journal", "discard", "1", "--reason", "no message", "--by", "the boss", "--json",
            settings={"OMSCTL_GATEWAY": self.stack.grpc, "OMSCTL_TOKEN": TOKEN})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('"shop (as the boss)"', done.stdout)

    def test_internal_api_is_not_served_even_with_a_token(self):
        self.assertEqual(call(self.channel, TIMINGS, TOKEN)[0], grpc.StatusCode.UNIMPLEMENTED)

    def test_tokens_are_read_again_on_sighup(self):
        self.file("tokens", OTHER)
        self.assertIn("read again", self.reload(self.stack.gateway, "tokens"))
        self.assertEqual(call(self.channel, REGISTRATION, OTHER)[0], grpc.StatusCode.OK)
        self.assertEqual(call(self.channel, REGISTRATION, TOKEN)[0], grpc.StatusCode.UNAUTHENTICATED)
        self.file("tokens", "bad")
        self.assertIn("line 1", self.reload(self.stack.gateway, "tokens"))
        self.assertEqual(call(self.channel, REGISTRATION, OTHER)[0], grpc.StatusCode.OK)

    def test_omsctl_takes_the_token_from_a_file_or_the_environment(self):
        token = self.file("token", TOKEN + "\n")
        reach = {"OMSCTL_GATEWAY": self.stack.grpc}
        ended = self.stack.omsctl("register", "--help", settings=reach)
        self.assertIn("--token-file", ended.stdout)
        for arguments, settings, code in (
            ((), {}, 1), (("--token-file", token), {}, 0), ((), {"OMSCTL_TOKEN": TOKEN}, 0),
            ((), {"OMSCTL_TOKEN_FILE": token}, 0), ((), {"OMSCTL_TOKEN": OTHER}, 1), (("--token-file", "/nowhere"), {}, 2),
        ):
            with self.subTest(arguments=arguments, settings=settings):
                ended = self.stack.omsctl("report", *arguments, settings={**reach, **settings})
                self.assertEqual(ended.returncode, code, ended.stderr)
                if code == 1:
                    self.assertIn("UNAUTHENTICATED", ended.stderr)


class Certificates(Folder):
    @classmethod
    def setUpClass(cls):
        cls.made = tempfile.mkdtemp(prefix="oms-certificates-")
        cls.addClassCleanup(shutil.rmtree, cls.made)
        subprocess.run([os.path.join(ROOT, "Tests", "Support", "certificates"), cls.made], check=True)

    def pem(self, name):
        return os.path.join(self.made, name)

    def bytes(self, name):
        with open(self.pem(name), "rb") as file:
            return file.read()

    def channel(self, address, ca="ca.pem", client=None):
        identity = (self.bytes(f"{client}.key"), self.bytes(f"{client}.pem")) if client else (None, None)
        channel = grpc.secure_channel(
            address, grpc.ssl_channel_credentials(self.bytes(ca), *identity), [("grpc.enable_http_proxy", 0)])
        self.addCleanup(channel.close)
        return channel

    def start(self, services=("gateway",), **settings):
        settings.setdefault("tls_certificate_file", self.pem("server.pem"))
        settings.setdefault("tls_key_file", self.pem("server.key"))
        stack = Stack(services=services, **settings)
        self.addCleanup(stack.__exit__)
        return stack.start()

    def test_grpcio_calls_over_tls_and_plain_text_is_refused(self):
        stack = self.start()
        self.assertEqual(call(self.channel(stack.grpc), REGISTRATION)[0], grpc.StatusCode.OK)
        self.assertEqual(call(self.channel(stack.grpc, ca="other-ca.pem"), REGISTRATION)[0], grpc.StatusCode.UNAVAILABLE)
        with plain_channel(stack.grpc) as plain:
            self.assertEqual(call(plain, REGISTRATION)[0], grpc.StatusCode.UNAVAILABLE)
        with plain_channel(stack.socket("gateway")) as socket:
            self.assertEqual(call(socket, REGISTRATION)[0], grpc.StatusCode.OK)
        wait_until(lambda: "connection refused" in stack.gateway.log(), "the refusal to be logged")

    def test_mutual_tls_lets_in_whom_the_list_names_and_needs_no_token(self):
        stack = self.start(
            tls_client_ca_file=self.pem("ca.pem"), tls_allowed_peers="plain.example, spiffe://example.org/client",
            gateway_insecure="")
        for client, code in (
            ("client", grpc.StatusCode.OK), ("plain", grpc.StatusCode.OK), ("named", grpc.StatusCode.UNAVAILABLE),
            ("foreign", grpc.StatusCode.UNAVAILABLE), ("expired", grpc.StatusCode.UNAVAILABLE),
            (None, grpc.StatusCode.UNAVAILABLE),
        ):
            with self.subTest(client):
                self.assertEqual(call(self.channel(stack.grpc, client=client), REGISTRATION)[0], code)

    def test_services_on_tcp_are_called_over_mutual_tls(self):
        address = free_address()
        # Both show the same certificate, the gateway as a client.
        stack = Stack(
            services=("inventory", "gateway"), tls_certificate_file=self.pem("server.pem"),
            tls_key_file=self.pem("server.key"), tls_client_ca_file=self.pem("ca.pem"), tls_ca_file=self.pem("ca.pem"),
            inventory_target=f"ipv4:{address}", gateway_insecure="")
        self.addCleanup(stack.__exit__)
        stack.inventory.environment["LISTEN"] += f",{address}"
        stack.start()
        ended = stack.omsctl("stock", "list", "NONE")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        # The timings come over the internal API, which a certificate opens.
        self.assertEqual(call(self.channel(address, client="client"), TIMINGS)[0], grpc.StatusCode.OK)
        report = json.loads(stack.omsctl("-o", "json", "report").stdout)
        self.assertIn("inventory", {endpoint["service"] for endpoint in report["endpoints"]})
        self.assertEqual([name for name in report.get("missing_replicas", []) if name.startswith("inventory")], [])

    def test_internal_api_of_a_service_is_closed_on_tcp(self):
        address = free_address()
        stack = Stack(services=("inventory",))
        self.addCleanup(stack.__exit__)
        stack.inventory.environment["LISTEN"] += f",{address}"
        stack.start()
        with plain_channel(address) as plain, plain_channel(stack.socket("inventory-1")) as socket:
            code, text = call(plain, TIMINGS)
            self.assertEqual(code, grpc.StatusCode.PERMISSION_DENIED)
            self.assertIn("Unix socket", text)
            self.assertEqual(call(plain, HEALTH)[0], grpc.StatusCode.OK)
            self.assertEqual(call(socket, TIMINGS)[0], grpc.StatusCode.OK)

    def test_certificate_is_read_again_on_sighup_while_calls_go_on(self):
        for name in ("pem", "key"):
            shutil.copy(self.pem(f"server.{name}"), os.path.join(self.folder, f"c.{name}"))
        stack = self.start(
            tls_certificate_file=os.path.join(self.folder, "c.pem"), tls_key_file=os.path.join(self.folder, "c.key"))
        old = self.channel(stack.grpc)
        requests = queue.SimpleQueue()
        answers = old.stream_stream(REFLECTION)(iter(requests.get, None), timeout=120)
        requests.put(LIST_SERVICES)
        before = next(answers)

        for name in ("pem", "key"):
            shutil.copy(self.pem(f"second.{name}"), os.path.join(self.folder, f"c.{name}"))
        self.assertIn("read again", self.reload(stack.gateway, "certificates"))
        self.assertIn("CN = second", self.subject(stack.grpc))
        self.file("c.pem", "nonsense")
        self.assertIn("c.pem", self.reload(stack.gateway, "certificates"))
        self.assertIn("CN = second", self.subject(stack.grpc))
        requests.put(LIST_SERVICES)
        self.assertEqual(next(answers), before)
        requests.put(None)
        self.assertEqual(list(answers), [])

    def subject(self, address):
        shown = subprocess.run(
            ["openssl", "s_client", "-connect", address, "-alpn", "h2"], stdin=subprocess.DEVNULL, capture_output=True,
            timeout=30)
        return shown.stdout.decode(errors="replace")  # what the server says in HTTP/2 stands in it, too

    def test_omsctl_calls_over_tls_and_mutual_tls(self):
        stack = self.start(tls_client_ca_file=self.pem("ca.pem"), gateway_insecure="")
        reach = {"OMSCTL_GATEWAY": stack.grpc}
        identity = ("--certificate-file", self.pem("client.pem"), "--key-file", self.pem("client.key"))
        for arguments, code in (
            (("--ca-file", self.pem("ca.pem"), *identity), 0), (("--ca-file", self.pem("ca.pem")), 1),
            (("--ca-file", self.pem("other-ca.pem"), *identity), 1), (("--ca-file", "/nowhere"), 2), (identity, 2), ((), 1),
        ):
            with self.subTest(arguments):
                ended = stack.omsctl("report", "--timeout", "5s", *arguments, settings=reach)
                self.assertEqual(ended.returncode, code, ended.stderr)

    def test_check_asks_a_service_that_listens_with_tls_alone(self):
        address = free_address()
        stack = Stack(
            services=("catalog",), tls_certificate_file=self.pem("named.pem"), tls_key_file=self.pem("named.key"))
        self.addCleanup(stack.__exit__)
        stack.processes["catalog"].environment["LISTEN"] = address
        stack.start()


CONNECT_AS_NOBODY = """
import os, socket, sys
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
peer = socket.socket(socket.AF_UNIX)
peer.settimeout(20)
peer.connect(sys.argv[1])
try:
    print(len(peer.recv(1)))
except ConnectionResetError:
    print(0)
"""


@unittest.skipUnless(os.geteuid() == 0, "another user can be played by root only")
class OtherUsers(unittest.TestCase):
    def test_socket_is_closed_to_other_users_even_when_its_file_is_not(self):
        with Stack(services=("catalog",)) as stack:
            path = stack.socket("catalog").removeprefix("unix:")
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o660)
            os.chmod(stack.state_dir, 0o755)
            os.chmod(path, 0o666)
            shown = subprocess.run(
                [sys.executable, "-c", CONNECT_AS_NOBODY, path], capture_output=True, text=True, timeout=30)
            self.assertEqual(shown.stdout.strip(), "0", shown.stderr)
            wait_until(lambda: "uid=65534" in stack.processes["catalog"].log(), "the refusal to be logged")


if __name__ == "__main__":
    unittest.main()
