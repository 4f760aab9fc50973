"""The gateway finds its way into the OMS by itself, and says how far it is."""

import unittest

import grpc
from bus import CREDENTIALS, registered_stack
from oms_simulator import Oms
from reflected import Reflected
from stack import Stack, free_address
from waiting import wait_until

GATEWAY = "omsconnector.v1.GatewayService"


def registration(client):
    return client.call(f"{GATEWAY}/GetRegistration")["registration"]


def state(client):
    return registration(client)["state"].removeprefix("REGISTRATION_STATE_")


class Registration(unittest.TestCase):
    def client(self, stack):
        return self.enterContext(Reflected(stack.grpc))

    def stack(self, **options):
        return self.enterContext(Stack(services=("gateway",), **options))

    def test_without_an_oms_the_gateway_serves_unregistered_and_ready(self):
        client = self.client(self.stack())
        self.assertEqual(state(client), "UNCONFIGURED")

    def test_registers_with_its_id_callback_secret_and_subscriptions(self):
        oms, stack = self.enterContext(registered_stack(services=("gateway",)))
        endpoint = oms.bus.endpoints()[0]
        self.assertEqual((endpoint["id"], endpoint["url"], endpoint["secret"]), (
            "connector", stack.callback, CREDENTIALS["oms_secret"]))
        self.assertIn("magento.inventory.aggregate_stock_management.updated", endpoint["subscribes"])
        client = self.client(stack)
        wait_until(lambda: state(client) == "REGISTERED", "the gateway to know that it is registered")
        known = registration(client)
        self.assertEqual((known["application_id"], known["callback_url"]), ("connector", stack.callback))
        self.assertIn("registered_at", known)

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
                with Stack(services=("gateway",), **settings):
                    oms.bus.wait_for_registration(60)

    def test_all_kinds_of_bus_are_understood(self):
        for style in ("standard", "php", "go"):
            with self.subTest(style), registered_stack({"style": style}, services=("gateway",)) as (oms, stack):
                with Reflected(stack.grpc) as client:
                    wait_until(lambda: state(client) == "REGISTERED", f"registration with a {style} bus")

    def test_registering_again_is_harmless_whatever_the_bus_makes_of_duplicates(self):
        # A bus that keeps both delivers twice from then on, which is harmless too. Unregistering first would avoid that, at
        # the price of a moment in which real buses drop what they publish.
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
