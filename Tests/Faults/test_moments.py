"""Kills at the very moments where a message could get lost or have its effect twice."""

import contextlib
import json
import os
import socket
import threading
import time
import unittest
import urllib.parse

from delivery import DeliveryClient
from lab import LabCase
from oms_simulator import Manner, Message
from proxy import REQUEST, RESPONSE, CallProxy
from reflected import Reflected
from stepping import run_until
from traffic import ADJUST, Chains, by_enqueue, by_service

ENQUEUE = "omsconnector.internal.v1.DeliveryService/Enqueue"
CONSUME = "omsconnector.internal.v1.MessageConsumerService/Consume"
ROUNDS = 3  # of each moment
THROUGH_PROXY = {"inventory_target": "unix:{folder}/state/inventory-proxy.sock"}


class Moments(LabCase):
    @contextlib.contextmanager
    def stack_with_chain(self, **options):
        """(lab, source) with some messages through."""
        with self.lab(manner=Manner(connections=2), **options) as lab:
            source = Chains("MOMENT", 1)
            lab.aggregates = source.aggregates
            yield lab, source

    def restart(self, lab, name):
        lab.stack.processes[name].start().wait_healthy()

    def test_gateway_killed_between_journal_and_answer(self):
        """The message is durable and nobody knows: it comes again, and has its effect once."""
        with self.stack_with_chain() as (lab, source):
            hits = 0
            for number in range(1, 200):
                if hits == ROUNDS:
                    break
                message = Message(*source.next(lab.random))
                with Delivery(lab, message) as delivery:
                    in_journal = f"delivery_id = '\"{message.id}\"'"
                    run_until(lab.stack.gateway, lambda: delivery.is_answered or lab.state.journal_count(in_journal))
                    hits += not delivery.is_answered
                    lab.kill("gateway")
                lab.sender.send(message.id, message.method, message.key, message.params)
                self.restart(lab, "gateway")
                lab.sender.wait_for(number, 30)
            self.assertEqual(hits, ROUNDS, "the gateway was never caught between journal and answer")
            run = lab.assert_in_order()
            self.assertEqual(len(run.inbox), len({event["id"] for event in run.deliveries}))

    def test_service_killed_before_and_after_the_effect(self):
        """Consume is on its way to the service, or its answer is on its way back: the effect is there once."""
        for moment in (REQUEST, RESPONSE):
            with self.subTest(moment):
                self.kill_at_consume("inventory-1", moment)

    def test_gateway_killed_between_effect_and_acknowledgement(self):
        for moment in (REQUEST, RESPONSE):
            with self.subTest(moment):
                self.kill_at_consume("gateway", moment)

    def kill_at_consume(self, name, moment):
        with self.stack_with_chain(**THROUGH_PROXY) as (lab, source), inventory_proxy(lab) as proxy:
            for number in range(1, ROUNDS + 1):
                proxy.arm(CONSUME, moment, lambda: lab.kill(name))
                lab.send(source, 3)
                proxy.wait(number)
                self.restart(lab, name)
                lab.sender.wait_until_done(60)
            lab.state.wait_at_rest()
            run = lab.assert_in_order()
            self.assertEqual([len(run.kills), len(run.inbox)], [ROUNDS, 3 * ROUNDS])


class OutgoingMoments(LabCase):
    def test_service_or_gateway_killed_between_outbox_and_delivery(self):
        """The row is in the outbox, and Enqueue on its way, or its answer: the gateway gets the message, once."""
        for name in ("inventory-1", "gateway"):
            for moment in (REQUEST, RESPONSE):
                with self.subTest(name=name, moment=moment):
                    self.kill_at_enqueue(name, moment)

    def kill_at_enqueue(self, name, moment):
        with self.lab(gateway_target="unix:{folder}/state/gateway-proxy.sock") as lab, gateway_proxy(lab) as proxy:
            requests = by_service(lab)
            for number in range(1, ROUNDS + 1):
                proxy.arm(ENQUEUE, moment, lambda: lab.restart(name))
                with Reflected(lab.stack.grpc) as client:
                    for _ in range(3):
                        requests.ask(client, "W")
                proxy.wait(number)
                lab.stack.processes[name].wait_healthy()
                lab.state.wait_at_rest()
            run = lab.assert_in_order()
            self.assertEqual(len(run.kills), ROUNDS)
            self.assertEqual({row["status"] for row in run.journal}, {"SUCCESS"})

    def test_gateway_killed_when_the_oms_has_the_message(self):
        """Before and after the answer leaves: the gateway can't know, and delivers it again."""
        for moment in ("before_answer", "after_answer"):
            with self.subTest(moment), self.lab() as lab:
                killed = threading.Semaphore(0)
                armed = threading.Event()

                def kill(request):
                    if request.get("method") == ADJUST and armed.is_set():
                        armed.clear()
                        lab.restart("gateway")
                        killed.release()

                setattr(lab.oms, moment, kill)
                requests = by_enqueue(lab)
                for _ in range(ROUNDS):
                    with DeliveryClient(lab.stack.socket("gateway")) as client:
                        armed.set()
                        requests.ask(client, "W")
                        self.assertTrue(killed.acquire(timeout=30))
                        lab.stack.gateway.wait_healthy()
                        requests.ask(client, "W")
                        lab.state.wait_at_rest()
                run = lab.assert_in_order()
                self.assertEqual({row["status"] for row in run.journal}, {"SUCCESS"})


class Delivery:
    """One attempt, whose answer is not awaited."""

    def __init__(self, lab, message):
        self._lab, self._message = lab, message

    def __enter__(self):
        address = urllib.parse.urlsplit(self._lab.endpoint["url"])
        self._socket = socket.create_connection((address.hostname, address.port))
        self._sent_ns = time.monotonic_ns()
        self._socket.sendall(self._lab.sender.bytes_of(self._message))
        return self

    def __exit__(self, *_):
        answer = self._peek()
        self._socket.close()
        message = self._message
        self._lab.oms.history.add(
            "delivery", sent_ns=self._sent_ns, id=message.id, method=message.method, key=message.key,
            body=message.body.decode(), duplicate=False, reply=json.loads(answer.partition(b"\r\n\r\n")[2]) if answer else None,
            outcome="acknowledged" if answer else "lost")

    def _peek(self):
        try:
            return self._socket.recv(1 << 16, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except OSError:
            return b""

    @property
    def is_answered(self):
        return bool(self._peek())


def gateway_proxy(lab):
    folder = os.path.join(lab.folder, "state")
    return CallProxy(f"{folder}/gateway-proxy.sock", f"{folder}/gateway.sock")


def inventory_proxy(lab):
    folder = os.path.join(lab.folder, "state")
    return CallProxy(f"{folder}/inventory-proxy.sock", f"{folder}/inventory/1.sock")


if __name__ == "__main__":
    unittest.main()
