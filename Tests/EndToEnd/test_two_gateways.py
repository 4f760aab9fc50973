"""Two gateways on one PostgreSQL store: they share what there is to deliver, and one takes over when the other is gone."""

import contextlib
import datetime
import itertools
import json
import os
import threading
import unittest

import grpc
from bus import registered_stack
from delivery import DeliveryClient
from oms_simulator import snapshot
from oms_simulator.snapshots import UPDATED
from postgresql import PostgreSQL
from reflected import Reflected
from stack import Process, Stack
from waiting import wait_until

GATEWAY = "omsconnector.v1.GatewayService"
HELD = "SELECT holder FROM gateway.lease WHERE key LIKE 'partition%' AND holder <> ''"
KEYS = 12


def arrived(oms):
    """The ids of the messages that the OMS has taken, in their order, each the first time."""
    found = {}
    for request in oms.requests.all():
        if request.path != "/oauth/token" and request.status == 200:
            message = json.loads(request.body)
            if not message["method"].startswith("magento.service_bus."):
                found.setdefault(message["id"])
    return list(found)


@contextlib.contextmanager
def second_gateway(stack):
    """Another gateway beside the stack's, which clients and services may reach as well."""
    environment = {**stack.environment("gateway-2.sock"), **Stack.free_ports()}
    gateway = Process("gateway", environment, os.path.join(stack.state_dir, "log", "gateway-2.log"))
    try:
        yield gateway.start().wait_healthy()
    finally:
        gateway.kill()


class Senders:
    """One thread for each key: it sends a message again and again until it is acknowledged, and then the next one, to one gateway
    and the other in turns."""

    def __init__(self, send):
        """`send(gateway, key, number)` sends to gateway 0 or 1 and says whether the message was acknowledged."""
        self._send = send
        self._stop = threading.Event()
        self.acknowledged = {key: 0 for key in range(KEYS)}
        self._threads = [threading.Thread(target=self._run, args=(key,)) for key in self.acknowledged]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def count(self):
        return sum(self.acknowledged.values())

    def _run(self, key):
        turns = itertools.cycle((0, 1))
        while not self._stop.is_set():
            # It may have come in or not, when nobody has said so: it is sent again, as a service's outbox and the bus do.
            if self._send(next(turns), key, self.acknowledged[key]):
                self.acknowledged[key] += 1


class TwoGateways(unittest.TestCase):
    def holders(self, server):
        held = server.query(HELD)
        return sorted(held.count(holder) for holder in set(held))

    def under_load(self, server, second, send):
        """Sends, kills the second gateway meanwhile, and goes on until the other one has everything; says what was acknowledged."""
        with Senders(send) as senders:
            wait_until(lambda: senders.count() >= 300, "messages to be taken")
            second.kill()
            wait_until(lambda: self.holders(server) == [16], "the other gateway to take over", timeout_s=20)
            before = senders.count()
            wait_until(lambda: senders.count() >= before + 100, "messages to be taken by the other one", timeout_s=60)
        return senders.acknowledged

    def test_messages_for_the_oms_arrive_once_and_in_order_also_when_one_gateway_dies(self):
        with PostgreSQL() as server, registered_stack(database_url=server.url, services=("gateway",)) as (oms, stack), \
                second_gateway(stack) as second:
            wait_until(lambda: self.holders(server) == [8, 8], "the gateways to share the journal")
            clients = [self.enterContext(DeliveryClient(stack.socket(name))) for name in ("gateway", "gateway-2")]

            def send(gateway, key, number):
                with contextlib.suppress(grpc.RpcError):
                    clients[gateway].enqueue(f"k{key}-{number}", {"number": number}, key=f"k{key}", timeout=10)
                    return True
                return False

            sent = self.under_load(server, second, send)
            wait_until(lambda: len(arrived(oms)) >= sum(sent.values()), "all messages to arrive", timeout_s=60)
            came = arrived(oms)
            for key, count in sent.items():
                # The last one may have come in without an answer.
                of_key = [each for each in came if each.startswith(f"k{key}-")]
                self.assertEqual(of_key[:count], [f"k{key}-{number}" for number in range(count)])

    def test_messages_of_the_oms_have_their_effect_once_and_in_order_also_when_one_gateway_dies(self):
        with PostgreSQL() as server, \
                registered_stack(database_url=server.url, services=("inventory", "gateway")) as (oms, stack), \
                second_gateway(stack) as second:
            wait_until(lambda: self.holders(server) == [8, 8], "the gateways to share the journal")
            addresses = [each.environment["GATEWAY_HTTP"] for each in (stack.gateway, second)]
            endpoints = [{**oms.bus.endpoints()[0], "url": f"http://{address}/service-bus"} for address in addresses]

            def send(gateway, key, number):
                at = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(seconds=number)
                message = {"jsonrpc": "2.0", "id": f"k{key}-{number}", "method": UPDATED,
                           "params": snapshot(f"A{key}", "DELTA", at.isoformat(), [("MUG", number + 1)])}
                return oms.bus.deliver(endpoints[gateway], json.dumps(message).encode()).delivered

            sent = self.under_load(server, second, send)
            # Each change of stock is in the history, the first quantity as what was there before; one that came too late would have
            # changed nothing.
            rows = server.query("SELECT aggregate_id || ' ' || quantity FROM inventory.stock_history ORDER BY at")
            for key, count in sent.items():
                quantities = [int(row.split()[1]) for row in rows if row.split()[0] == f"A{key}"]
                self.assertEqual(quantities[:count - 1], list(range(2, count + 1)))
                self.assertLessEqual(len(quantities), count)

    def test_any_gateway_shows_the_registration_and_changes_it(self):
        with PostgreSQL() as server, registered_stack(database_url=server.url, services=("gateway",)) as (oms, stack), \
                second_gateway(stack):
            clients = [self.enterContext(Reflected(stack.socket(name))) for name in ("gateway", "gateway-2")]

            def ask(client, method):
                return client.call(f"{GATEWAY}/{method}")["registration"]["state"]

            for client in clients:
                wait_until(lambda: ask(client, "GetRegistration") == "REGISTRATION_STATE_REGISTERED", "each to know")
            self.assertEqual(len(oms.bus.endpoints()), 1)
            self.assertEqual(ask(clients[1], "Unregister"), "REGISTRATION_STATE_UNREGISTERED")
            self.assertEqual(oms.bus.endpoints(), [])
            wait_until(lambda: ask(clients[0], "GetRegistration") == "REGISTRATION_STATE_UNREGISTERED", "the other to know")
            for client in clients:
                self.assertEqual(ask(client, "Register"), "REGISTRATION_STATE_REGISTERED")
            self.assertEqual(len(oms.bus.endpoints()), 1)


if __name__ == "__main__":
    unittest.main()
