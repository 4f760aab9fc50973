"""The services in containers: what the compose files promise about them."""

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import unittest

import grpc
from engine import BASE, IMAGES, IN_PRODUCTION, Project, configuration, run, size, size_of_package
from reflected import TIMEOUT_S, Reflected, channel
from stack import BIN, ROOT
from waiting import wait_until

SERVICES = ("gateway", "inventory", "catalog", "sales", "post-sales")
BUF = os.path.join(os.path.dirname(sys.executable), "buf")
STOCK = "omsconnector.v1.InventoryService"
SIZE_LIMIT = 60_000_000
TOKEN = "a-token-of-the-shop-1"
DEPLOYMENT = {
    "OMS_URL": "https://bus.example", "CONNECTOR_CALLBACK_URL": "https://connector.example/service-bus",
    "COMMERCE_URL": "https://shop.example", "GATEWAY_TOKENS_FILE": "/given/tokens", "TLS_CERTIFICATE_FILE": "/given/certificate",
    "TLS_KEY_FILE": "/given/key", "OMS_SECRET_FILE": "/given/secret", "COMMERCE_TOKEN_FILE": "/given/shop",
    "COMMERCE_MAPPING_FILE": "/given/mapping", "DATABASE_URL_FILE": "/given/database",
    "POSTGRES_PASSWORD_FILE": "/given/password"}


class Containers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.project = cls.enterClassContext(Project("oms-containers", OMS_URL="", COMMERCE_URL=""))
        cls.project.up("--scale", "inventory=3")

    def inspected(self):
        for service in SERVICES:
            for container in self.project.containers(service):
                yield service, container

    def test_all_are_healthy_by_their_own_check(self):
        states = {(service, each["State"]["Health"]["Status"]) for service, each in self.inspected()}
        self.assertEqual(states, {(service, "healthy") for service in SERVICES})
        self.assertEqual(len(self.project.containers("inventory")), 3)
        for service, each in self.inspected():
            self.assertIn("--check", " ".join(each["Config"]["Healthcheck"]["Test"]), service)

    def test_nothing_runs_as_root_or_may_write_its_files_or_has_capabilities(self):
        for service, each in self.inspected():
            with self.subTest(service):
                self.assertEqual(each["Config"]["User"], "connector")
                self.assertTrue(each["HostConfig"]["ReadonlyRootfs"])
                status = run(["docker", "exec", each["Id"], "cat", "/proc/1/status"]).stdout
                self.assertEqual(re.search(r"^Uid:\s+(\d+)", status, re.M).group(1), "10001")
                self.assertEqual(int(re.search(r"^CapBnd:\s+(\w+)", status, re.M).group(1), 16), 0)
                self.assertEqual(re.search(r"^NoNewPrivs:\s+(\d)", status, re.M).group(1), "1")

    def test_ports_are_published_on_loopback_only(self):
        for service, each in self.inspected():
            bindings = [b["HostIp"] for ports in each["NetworkSettings"]["Ports"].values() for b in ports or ()]
            self.assertEqual(bindings, ["127.0.0.1"] * (3 if service == "gateway" else 0), service)

    def test_images_add_little_to_their_base(self):
        added = size(IMAGES["CONNECTOR_IMAGE"]) - size(BASE)
        # The registry's base has no OpenSSL; one that stands in for it may.
        added += size_of_package(BASE, "libssl3")
        print(f"the connector's image adds {added / 1e6:.1f} MB to {BASE}")
        self.assertLessEqual(added, SIZE_LIMIT)

    def test_a_newcomer_s_call_is_answered_by_any_replica(self):
        def curl(method, request):
            done = subprocess.run(
                [BUF, "curl", "--protocol", "grpc", "--http2-prior-knowledge", "-d", json.dumps(request),
                 f"http://{self.project.grpc}/{STOCK}/{method}"], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr)
            return json.loads(done.stdout)

        curl("ApplyStockSnapshot", {"snapshot": {
            "aggregate_id": "EU-WEB", "mode": "SNAPSHOT_MODE_DELTA", "created_on": "2024-01-01T00:00:00Z",
            "stock": [{"sku": "MUG", "quantity": 7}]}})
        self.assertEqual(curl("GetStock", {"aggregate_id": "EU-WEB", "sku": "MUG"})["stock"]["quantity"], "7")
        with Reflected(self.project.grpc) as client:
            for _ in range(12):
                client.call(f"{STOCK}/GetStock", {"aggregate_id": "EU-WEB", "sku": "MUG"})

    def test_inventory_is_scaled_while_it_is_called(self):
        """As the README says it, 5 and back; sockets that are left in the volume must not be in the way."""
        calls, failures, enough = 0, [], threading.Event()

        def call():
            nonlocal calls
            with Reflected(self.project.grpc) as client:
                while not enough.is_set():
                    try:
                        client.call(f"{STOCK}/ListStock", {"aggregate_id": "EU-WEB"})
                    except grpc.RpcError as error:
                        failures.append(f"{error.code()} {error.details()}")
                    calls += 1

        caller = threading.Thread(target=call)
        caller.start()
        try:
            for count in (5, 2, 3):
                self.project.up("--no-recreate", "--scale", f"inventory={count}")
                self.project.wait_until_healthy("inventory", count)
                before = calls
                wait_until(lambda: calls >= before + 20 * count or failures, f"calls of {count} replicas")
        finally:
            enough.set()
            caller.join()
        self.assertEqual(failures, [])

    def test_an_operator_has_omsctl_in_the_gateway_s_container(self):
        status = self.project.omsctl("status").stdout
        self.assertEqual(re.findall(r"^(\S+)\s+SERVING", status, re.M), ["gateway", "catalog", "inventory", "sales", "post-sales"])

    def test_a_stop_is_graceful(self):
        """Exit code 0: what was under way has ended by itself."""
        self.project.compose("stop", "catalog")
        ids = self.project.compose("ps", "--all", "--quiet", "catalog").stdout.split()
        self.assertEqual([each["State"]["ExitCode"] for each in json.loads(run(["docker", "inspect", *ids]).stdout)], [0])
        self.project.compose("start", "catalog")
        self.project.wait_until_healthy("catalog", 1)


class Tokens(unittest.TestCase):
    def test_only_who_has_a_token_may_call_once_there_are_tokens(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        tokens = os.path.join(folder, "tokens")
        with open(tokens, "w", encoding="utf-8") as file:
            file.write(f"shop:{TOKEN}\n")
        os.chmod(tokens, 0o644)  # another user reads it
        project = self.enterContext(Project("oms-tokens", OMS_URL="", COMMERCE_URL="", GATEWAY_TOKENS_FILE=tokens))
        project.up()

        def code(metadata):
            try:
                registration(b"", timeout=TIMEOUT_S, metadata=metadata)
                return grpc.StatusCode.OK
            except grpc.RpcError as error:
                return error.code()

        with channel(project.grpc) as connection:
            registration = connection.unary_unary("/omsconnector.v1.GatewayService/GetRegistration")
            self.assertEqual(code([]), grpc.StatusCode.UNAUTHENTICATED)
            self.assertEqual(code([("authorization", f"Bearer {TOKEN}")]), grpc.StatusCode.OK)


class Backups(unittest.TestCase):
    def test_a_backup_goes_to_this_machine_and_comes_back(self):
        """As the README says: a container for the moment, on the volume of the stores."""
        folder = self.enterContext(tempfile.TemporaryDirectory())
        os.chown(folder, 10001, 10001)
        with Project("oms-backup", OMS_URL="", COMMERCE_URL="") as project:
            def omsctl(*arguments, check=True):
                return project.compose(
                    "run", "--rm", "--no-deps", "-T", "-v", f"{folder}:/backup", "gateway", "omsctl", *arguments, check=check)

            def write(sku):
                with Reflected(project.grpc) as client:
                    client.call(f"{STOCK}/ApplyStockSnapshot", {"snapshot": {
                        "aggregate_id": "EU-WEB", "mode": "SNAPSHOT_MODE_DELTA", "created_on": "2024-01-01T00:00:00Z",
                        "stock": [{"sku": sku, "quantity": 7}]}})

            project.up()
            write("BEFORE")
            omsctl("backup", "/backup/one")
            write("AFTER")
            self.assertIn("stop", omsctl("restore", "/backup/one", check=False).stderr)
            project.compose("stop", *SERVICES)
            omsctl("restore", "/backup/one")
            project.up()
            listed = project.omsctl("stock", "list", "EU-WEB").stdout
            self.assertIn("BEFORE", listed)
            self.assertNotIn("AFTER", listed)


class Settings(unittest.TestCase):
    def test_every_setting_of_an_executable_can_be_given(self):
        """The compose file says them one by one; one that is missing there could not be set."""
        config = configuration()
        fixed_by_the_image = {"LISTEN", "STATE_DIR"}
        for service in SERVICES:
            text = run([os.path.join(BIN, service), "--help"]).stdout
            declared = set(re.findall(r"^  ([A-Z][A-Z_]+)$", text, re.M))
            given = {name.removesuffix("_FILE") for name in config["services"][service]["environment"]}
            given |= set(config["services"][service]["environment"])
            targets = {name for name in declared if name.endswith("_TARGET")}
            # The services call each other, and all but the gateway serve, on sockets alone.
            tls = {name for name in declared if name == "TLS_CA_FILE" or name.startswith("TLS_") and service != "gateway"}
            self.assertEqual(declared - given - targets - tls - fixed_by_the_image, set(), service)

    def test_everybody_may_call_unless_somebody_says_who(self):
        tokens, ca = {"GATEWAY_TOKENS_FILE": "/given"}, {"TLS_CLIENT_CA_FILE": "/given"}
        # What is not set, and what is empty, the gateway takes for false.
        for expected, given in (
                ("true", {}), ("", tokens), ("", ca), ("", tokens | ca), ("false", {"GATEWAY_INSECURE": "false"}),
                ("true", ca | {"GATEWAY_INSECURE": "true"}), ("true", {"GATEWAY_TOKENS_FILE": "", "TLS_CLIENT_CA_FILE": ""})):
            with self.subTest(given):
                environment = configuration(**given)["services"]["gateway"]["environment"]
                self.assertEqual(environment.get("GATEWAY_INSECURE") or "", expected)

    def test_what_the_environment_says_goes_before_a_demo_that_is_not_there(self):
        none = {"DEMO_OMS_URL": "", "DEMO_COMMERCE_URL": ""}
        given = {"OMS_URL": "https://bus.example", "COMMERCE_URL": "https://shop.example"}
        demo = {"OMS_URL": "http://oms:8090", "COMMERCE_URL": "http://shop:8091"}
        empty = {"OMS_URL": "", "COMMERCE_URL": ""}
        for expected, settings in ((demo, {}), (empty, none), (given, none | given), (given, given), (empty, empty)):
            with self.subTest(settings):
                services = configuration(**settings)["services"]
                self.assertEqual(services["gateway"]["environment"]["OMS_URL"], expected["OMS_URL"])
                self.assertEqual(services["catalog"]["environment"]["COMMERCE_URL"], expected["COMMERCE_URL"])

    def test_a_deployment_asks_for_what_must_not_be_forgotten_and_lets_nobody_in_without_a_token(self):
        gateway = configuration(IN_PRODUCTION, **DEPLOYMENT)["services"]["gateway"]["environment"]
        self.assertEqual(gateway["GATEWAY_INSECURE"], "false")
        self.assertEqual(gateway["OMS_URL"], DEPLOYMENT["OMS_URL"])
        for name in DEPLOYMENT:
            with self.subTest(name), self.assertRaisesRegex(AssertionError, name):
                configuration(IN_PRODUCTION, **DEPLOYMENT | {name: ""})

    def test_no_service_fills_the_disk_with_logs_and_in_a_deployment_none_takes_all_memory(self):
        services = configuration(IN_PRODUCTION, **DEPLOYMENT)["services"]
        self.assertEqual(set(services), {*SERVICES, "postgres", "oms", "shop"})
        for name, service in services.items():
            with self.subTest(name):
                options = service["logging"]["options"]
                self.assertEqual((options["max-size"], options["max-file"]), ("10m", "5"))
                # The simulators are not part of a deployment.
                if name not in ("oms", "shop"):
                    self.assertGreater(int(service["deploy"]["resources"]["limits"]["memory"]), 0)


if __name__ == "__main__":
    unittest.main()
