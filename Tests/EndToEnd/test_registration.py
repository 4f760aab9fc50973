"""The gateway finds its way into the OMS by itself, and says how far it is."""

import contextlib
import os
import signal
import tempfile
import unittest

import grpc
from bus import CREDENTIALS, registered_stack
from oms_simulator import Oms
from oms_simulator.faults import redirect
from oms_simulator.snapshots import UPDATED
from reflected import Reflected
from stack import Stack, free_address
from waiting import wait_until

GATEWAY = "omsconnector.v1.GatewayService"
# What inventory consumes.
SUBSCRIBED = [UPDATED, *(f"magento.inventory.source_management.{event}" for event in ("created", "deleted", "updated"))]


def registration(client):
    return client.call(f"{GATEWAY}/GetRegistration")["registration"]


def state(client):
    return registration(client)["state"].removeprefix("REGISTRATION_STATE_")


class Secrets(contextlib.AbstractContextManager):
    """Files of secrets, and the settings that name them."""

    def __init__(self, **secrets):
        self._folder = tempfile.TemporaryDirectory()
        names = {"signing": "oms_secret", "client": "oms_oauth_client_secret"}
        self._paths = {which: os.path.join(self._folder.name, which) for which in secrets}
        self.settings = {name: "" for name in names.values()}  # not set by value
        self.settings.update({names[which] + "_file": path for which, path in self._paths.items()})
        self.write(**secrets)

    def __exit__(self, *_):
        self._folder.cleanup()

    def write(self, **secrets):
        for which, secret in secrets.items():
            with open(self._paths[which], "w", encoding="utf-8") as file:
                file.write(secret + "\n")


class Registration(unittest.TestCase):
    def client(self, stack):
        return self.enterContext(Reflected(stack.grpc))

    def stack(self, **options):
        return self.enterContext(Stack(services=("gateway",), **{"oms_registration_wait": "0s", **options}))

    def test_without_an_oms_the_gateway_serves_unregistered_and_ready(self):
        client = self.client(self.stack())
        self.assertEqual(state(client), "UNCONFIGURED")

    def test_registers_with_its_id_callback_secret_and_subscriptions(self):
        oms, stack = self.enterContext(registered_stack(services=("inventory", "gateway")))
        endpoint = oms.bus.endpoints()[0]
        self.assertEqual((endpoint["id"], endpoint["url"], endpoint["secret"]), (
            "connector", stack.callback, CREDENTIALS["oms_secret"]))
        self.assertEqual(endpoint["subscribes"], SUBSCRIBED)
        self.assertEqual(endpoint["labels"]["capabilities"], "inventory")
        self.assertIn("version", endpoint["labels"])
        client = self.client(stack)
        wait_until(lambda: state(client) == "REGISTERED", "the gateway to know that it is registered")
        known = registration(client)
        self.assertEqual((known["application_id"], known["callback_url"]), ("connector", stack.callback))
        self.assertEqual((known["subscribed_methods"], known["labels"]), (SUBSCRIBED, endpoint["labels"]))
        for member in ("registered_at", "state_since", "next_check_at"):
            self.assertIn(member, known)

    def test_without_a_client_id_no_token_is_asked_for_or_sent(self):
        oms = self.enterContext(Oms())
        stack = self.stack(oms_url=oms.url)
        oms.bus.wait_for_registration(30)
        self.assertNotIn("/oauth/token", [request.path for request in oms.requests.all()])
        self.assertEqual([r for r in oms.requests.all() if "authorization" in r.headers], [])
        self.assertEqual(oms.bus.endpoints()[0]["url"], stack.callback)

    def test_tries_until_the_oms_comes_up_and_says_why_not(self):
        oms = Oms(listen=free_address())
        stack = self.stack(oms_url=oms.url)
        client = self.client(stack)
        wait_until(lambda: registration(client).get("failed_attempts", 0) >= 2, "two failed attempts")
        known = registration(client)
        self.assertEqual(known["state"], "REGISTRATION_STATE_PENDING")
        self.assertTrue(known["last_error"])
        self.assertIn("next_attempt_at", known)
        with oms:
            wait_until(lambda: state(client) == "REGISTERED", "the registration after the OMS has come up", timeout_s=60)
        known = registration(client)
        self.assertEqual((known.get("failed_attempts", 0), known.get("last_error", "")), (0, ""))

    def test_faults_of_the_bus_are_retried(self):
        for fault in ({"status": 500, "times": 1}, {"status": 401, "times": 1}, {"status": 500, "times": 1, "path": "/oauth"}):
            with self.subTest(fault), Oms(client_id="shop", client_secret="only-for-tests") as oms:
                oms.faults.answer(**fault)
                settings = {**CREDENTIALS, "oms_url": oms.url, "oms_oauth_server_url": oms.url}
                with Stack(services=("gateway",), oms_registration_wait="0s", **settings):
                    oms.bus.wait_for_registration(60)

    def test_all_kinds_of_bus_are_understood(self):
        for style in ("standard", "php", "go"):
            with self.subTest(style), registered_stack({"style": style}, services=("gateway",)) as (oms, stack):
                with Reflected(stack.grpc) as client:
                    wait_until(lambda: state(client) == "REGISTERED", f"registration with a {style} bus")

    def test_registering_again_is_harmless_whatever_the_bus_makes_of_duplicates(self):
        # A bus that keeps both delivers twice until the next look at it, which is harmless too. Unregistering first would avoid
        # that, at the price of a moment in which real buses drop what they publish.
        for duplicates, endpoints in (("refuse", 1), ("replace", 1), ("keep", 3)):
            with self.subTest(duplicates), registered_stack({"duplicates": duplicates}, services=("gateway",)) as (oms, stack):
                with Reflected(stack.grpc) as client:
                    wait_until(lambda: state(client) == "REGISTERED", "registration")
                    for _ in range(2):
                        answer = client.call(f"{GATEWAY}/Register")["registration"]
                        self.assertEqual(answer["state"], "REGISTRATION_STATE_REGISTERED")
                    self.assertEqual(len(oms.bus.endpoints()), endpoints, oms.bus.endpoints())

    def test_gateway_started_anew_registers_over_its_old_registration(self):
        oms, stack = self.enterContext(registered_stack(services=("gateway",)))
        stack.gateway.kill()
        oms.requests.clear()
        stack.gateway.start().wait_healthy()
        client = self.client(stack)
        wait_until(lambda: state(client) == "REGISTERED", "registration after a restart")
        self.assertEqual(len(oms.bus.endpoints()), 1)

    def test_unregister_takes_it_back_until_register(self):
        oms, stack = self.enterContext(registered_stack(services=("gateway",)))
        client = self.client(stack)
        wait_until(lambda: state(client) == "REGISTERED", "registration")
        answer = client.call(f"{GATEWAY}/Unregister")["registration"]
        self.assertEqual(answer["state"], "REGISTRATION_STATE_UNREGISTERED")
        self.assertEqual(oms.bus.endpoints(), [])
        client.call(f"{GATEWAY}/Unregister")
        client.call(f"{GATEWAY}/Register")
        self.assertEqual(len(oms.bus.endpoints()), 1)

    def test_what_an_operator_wanted_outlives_the_gateway(self):
        oms, stack = self.enterContext(registered_stack(services=("gateway",)))
        for command, state_after in (("unregister", "UNREGISTERED"), ("register", "REGISTERED"), ("disable", "DISABLED")):
            with self.subTest(command):
                self.assertIn(state_after, self.omsctl(stack, command))
                stack.gateway.kill()
                oms.requests.clear()
                stack.gateway.start().wait_healthy()
                wait_until(lambda: state_after in self.omsctl(stack, "status"), f"{state_after} after a restart")
                if command != "register":
                    self.assertEqual(oms.requests.all(), [], "the OMS was told already")

    def test_unregister_goes_on_until_the_oms_is_back(self):
        oms, stack = self.enterContext(registered_stack(services=("gateway",)))
        oms.down()
        refused = stack.omsctl("unregister")
        self.assertEqual((refused.returncode, refused.stderr.startswith("UNAVAILABLE")), (1, True), refused)
        status = self.omsctl(stack, "status")
        self.assertRegex(status, r"REGISTRATION +PENDING\nwanted +UNREGISTERED\n")
        self.assertIn("next attempt", status)
        stack.gateway.kill()
        stack.gateway.start().wait_healthy()
        oms.up()
        wait_until(lambda: "REGISTRATION     UNREGISTERED" in self.omsctl(stack, "status") or oms.bus.endpoints() == [],
                   "the registration to be taken back", timeout_s=90)

    def test_disable_and_enable_at_buses_that_know_how_and_those_that_do_not(self):
        for options in ({}, {"knows": ()}, {"duplicates": "replace"}, {"style": "php"}, {"style": "go", "duplicates": "keep"}):
            with self.subTest(options), registered_stack(options, services=("gateway", "inventory")) as (oms, stack):
                self.assertIn("DISABLED", self.omsctl(stack, "disable"))
                self.assertEqual(oms.bus.publish(UPDATED, {}), [])
                if not options:
                    self.assertEqual([e["enabled"] for e in oms.bus.endpoints()], [False])
                self.assertIn("REGISTERED", self.omsctl(stack, "enable"))
                self.assertEqual(len(oms.bus.publish(UPDATED, {})), 1)

    def test_registration_that_the_oms_has_forgotten_is_made_again(self):
        settings = {"services": ("gateway",), "oms_registration_check": "1s", "oms_registration_renewal": "1s"}
        for options in ({}, {"knows": ()}, {"style": "php"}, {"style": "go", "duplicates": "keep"}):
            with self.subTest(options), registered_stack(options, **settings) as (oms, stack):
                oms.bus.forget_endpoints()
                oms.bus.wait_for_registration(30)
                # Looked at and renewed again and again, it is there once.
                seen = len(oms.requests.all())
                wait_until(lambda: len(oms.requests.all()) >= seen + 4, "more looks or renewals")
                wait_until(lambda: len(oms.bus.endpoints()) == 1, "one registration")
                self.assertIn("last check", self.omsctl(stack, "status"))

    def test_copies_at_a_bus_that_keeps_them_are_cleared_away(self):
        options = {"duplicates": "keep"}
        settings = {"services": ("gateway",), "oms_registration_check": "1s"}
        oms, stack = self.enterContext(registered_stack(options, **settings))
        for _ in range(2):
            self.omsctl(stack, "register")
        wait_until(lambda: len(oms.bus.endpoints()) == 1, "one registration")

    def test_token_that_ends_is_replaced_before_it_does(self):
        for expires_in in (3, "3"):
            with self.subTest(expires_in), registered_stack(
                    {"expires_in": expires_in}, services=("gateway",), oms_registration_check="1s") as (oms, _):
                oms.requests.wait(lambda seen: sum(r.path == "/oauth/token" for r in seen) >= 3, 30)
                self.assertEqual([r.status for r in oms.requests.all() if r.status == 401], [])

    def test_redirecting_oms_is_named_and_not_followed(self):
        elsewhere = self.enterContext(Oms())
        with Oms() as oms:
            oms.faults.plan(redirect(elsewhere.url + "/remote/oms", 307))
            stack = self.stack(oms_url=oms.url)
            client = self.client(stack)
            wait_until(lambda: elsewhere.url in registration(client).get("last_error", ""), "the other place in the error")
            self.assertEqual(elsewhere.requests.all(), [])

    def test_secrets_from_files_change_at_sighup(self):
        with Secrets(signing="signing-for-tests", client=CREDENTIALS["oms_oauth_client_secret"]) as secrets:
            oms, stack = self.enterContext(registered_stack(services=("gateway",), **secrets.settings))
            body = b'{"id":"d-1","method":"nobody.consumes.this","params":{}}'
            old = oms.bus.endpoints()[0]
            self.assertEqual(oms.bus.deliver(old, body).status, 200)
            secrets.write(signing="other-for-tests")
            oms.faults.answer(503, path="/remote")
            stack.gateway.signal(signal.SIGHUP)
            new = {**old, "secret": "other-for-tests"}
            wait_until(lambda: oms.bus.deliver(new, body).status == 200, "the new secret to be accepted")
            self.assertEqual(oms.bus.deliver(old, body).status, 200, "the OMS does not have the new one yet")
            self.assertEqual(oms.bus.deliver({**old, "secret": "nobody's"}, body).status, 401)
            oms.faults.clear()
            wait_until(lambda: [e["secret"] for e in oms.bus.endpoints()] == ["other-for-tests"], "the new secret in the OMS")
            self.assertEqual(oms.bus.deliver(old, body).status, 200, "what was under way is accepted for a while")
            # The client's secret is sent with the next token.
            oms.bus.options.client_secret = "client-for-tests"
            secrets.write(client="client-for-tests")
            stack.gateway.signal(signal.SIGHUP)
            wait_until(lambda: "OMS_OAUTH_CLIENT_SECRET" in stack.gateway.log(), "the secret to be read")
            oms.bus.revoke_tokens()
            self.assertIn("REGISTERED", self.omsctl(stack, "register"))
            for secret in ("other-for-tests", "client-for-tests"):
                self.assertNotIn(secret, stack.gateway.log())

    def test_subscriptions_follow_the_services(self):
        oms, stack = self.enterContext(registered_stack(services=("inventory", "gateway"), oms_registration_wait="1s"))
        stack.inventory.stop()
        stack.gateway.stop()
        stack.gateway.start().wait_healthy()
        client = self.client(stack)
        wait_until(lambda: state(client) == "REGISTERED", "the registration of the gateway that was started anew")
        # Inventory may be starting, too: what it consumed stays subscribed for a while.
        self.assertEqual([e["subscribes"] for e in oms.bus.endpoints()], [SUBSCRIBED])

    def test_service_that_starts_after_the_gateway_is_subscribed_for(self):
        with Oms(client_id="shop", client_secret="only-for-tests") as oms:
            stack = Stack(services=("inventory", "gateway"), oms_url=oms.url, oms_registration_wait="0s", **CREDENTIALS)
            self.addCleanup(stack.__exit__)
            stack.gateway.start().wait_healthy()
            self.assertFalse(oms.bus.wait_for_registration(30)["subscribes"])
            stack.inventory.start().wait_healthy()
            oms.bus.wait_for_registration(30, method=UPDATED)

    def omsctl(self, stack, *arguments):
        done = stack.omsctl(*arguments)
        # status ends with 1 when a service does not serve, which here is on purpose.
        self.assertTrue(done.returncode == 0 or arguments == ("status",), done)
        return done.stdout

    def test_register_without_an_oms_says_what_is_missing(self):
        client = self.client(self.stack())
        with self.assertRaises(grpc.RpcError) as caught:
            client.call(f"{GATEWAY}/Register")
        self.assertEqual(caught.exception.code(), grpc.StatusCode.FAILED_PRECONDITION)
        self.assertIn("OMS_URL", caught.exception.details())

    def test_secrets_are_in_no_log(self):
        oms, stack = self.enterContext(registered_stack(services=("gateway",)))
        oms.bus.revoke_tokens()
        self.client(stack).call(f"{GATEWAY}/Register")
        tokens = {r.headers.get("authorization", "").removeprefix("Bearer ") for r in oms.requests.all()} - {""}
        for secret in (CREDENTIALS["oms_secret"], CREDENTIALS["oms_oauth_client_secret"], *tokens):
            self.assertNotIn(secret, stack.gateway.log())


if __name__ == "__main__":
    unittest.main()
