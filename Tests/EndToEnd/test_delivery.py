"""What the services owe the OMS arrives, once and in order, or is accounted for."""

import glob
import json
import signal
import threading
import time
import unittest

import grpc
from bus import registered_stack
from delivery import UPDATE, DeliveryClient, journal
from oms_simulator import Oms, faults
from reflected import Reflected
from stack import Stack
from waiting import wait_until

SEARCH = "magento.inventory.source_repository.search"
NOTIFY = "magento.common.error_management.notify"
FAKETIME = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)


def received(oms, method=None):
    """The messages that came to the OMS, as (request, JSON-RPC request)."""
    found = []
    for request in oms.requests.all():
        if request.path == "/oauth/token":
            continue
        message = json.loads(request.body)
        if not message["method"].startswith("magento.service_bus.") and method in (None, message["method"]):
            found.append((request, message))
    return found


def arrived(oms):
    """The ids of the messages that the OMS has taken, in their order."""
    return [message["id"] for request, message in received(oms) if request.status == 200]


def start_later(process, hours):
    """Starts it so many hours from now, by its own clock."""
    plain = process.command
    # Twice through env: the library sets a variable in the first program that it is loaded into, which moves its environment,
    # and Swift then finds its arguments no more.
    process.command = [
        "/usr/bin/env", f"LD_PRELOAD={FAKETIME}", f"FAKETIME=+{hours}h", "FAKETIME_DONT_FAKE_MONOTONIC=1", "/usr/bin/env", *plain]
    try:
        process.start()
    finally:
        process.command = plain
    process.wait_healthy()


class Delivery(unittest.TestCase):
    """One registered gateway for the class; each test has delivery ids of its own."""

    OPTIONS = {}

    @classmethod
    def setUpClass(cls):
        cls.oms, cls.stack = cls.enterClassContext(registered_stack(services=("gateway",), **cls.OPTIONS))
        cls.client = cls.enterClassContext(DeliveryClient(cls.stack.socket("gateway")))

    def setUp(self):
        self.oms.requests.clear()
        self.addCleanup(self.oms.faults.clear)

    def row(self, delivery_id):
        return journal(self.stack, delivery_id)[0]

    def wait_for(self, status, *delivery_ids, timeout_s=60):
        """The rows of the messages, as soon as they have that status."""
        def found():
            rows = journal(self.stack, *delivery_ids)
            return rows if len(rows) == len(delivery_ids) and all(row["status"] == status for row in rows) else None

        return wait_until(found, f"{delivery_ids[:3]} … to be {status}", timeout_s)

    def refused(self, code, function, *arguments, **options):
        with self.assertRaises(grpc.RpcError) as caught:
            function(*arguments, **options)
        self.assertEqual(caught.exception.code(), code, caught.exception.details())
        return caught.exception.details()


class Arrival(Delivery):
    def test_goes_the_way_that_it_was_handed_over_for(self):
        ways = {"remote": "/remote/oms", "delegate": "/delegate/oms", "events": "/events"}
        for route, path in ways.items():
            with self.subTest(route):
                self.oms.requests.clear()
                self.client.enqueue(f"way-{route}", {"n": 1.50, "text": "ü"}, route=route)
                self.wait_for("SUCCESS", f"way-{route}")
                (request, message), = received(self.oms)
                self.assertEqual(request.path, path)
                self.assertEqual(request.headers.get("to"), "*" if route == "events" else None)
                self.assertEqual(message, {
                    "jsonrpc": "2.0", "id": f"way-{route}", "method": UPDATE, "params": {"n": 1.50, "text": "ü"}})
                self.assertRegex(request.headers["traceparent"], "^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$")

    def test_messages_of_a_key_arrive_in_the_order_in_which_they_were_handed_over(self):
        ids = [f"order-{n}" for n in range(200)]
        for n, each in enumerate(ids):
            self.client.enqueue(each, key=f"k{n % 7}")
        self.wait_for("SUCCESS", *ids)
        found = arrived(self.oms)
        for key in range(7):
            self.assertEqual([each for each in found if int(each[6:]) % 7 == key], ids[key::7])

    def test_same_message_again_is_answered_alike_and_delivered_once(self):
        first = self.client.enqueue("same", {"a": 1}, key="k")
        self.assertEqual(self.client.enqueue("same", {"a": 1}, key="k"), first)
        self.wait_for("SUCCESS", "same")
        self.assertEqual(self.client.enqueue("same", {"a": 1}, key="k"), first)
        self.client.enqueue("behind", key="k")
        self.wait_for("SUCCESS", "behind")
        self.assertEqual(arrived(self.oms), ["same", "behind"])
        for other in ({"params": {"a": 2}, "key": "k"}, {"params": {"a": 1}, "key": "x"}):
            self.assertIn("same", self.refused(grpc.StatusCode.ALREADY_EXISTS, self.client.enqueue, "same", **other))

    def test_what_cannot_be_delivered_is_refused_and_says_what_is_wrong(self):
        for field, change in {
            "delivery_id": {"delivery_id": "x" * 257}, "method": {"method": "magento.inventory"}, "key": {"key": "k" * 1025},
            "route": {"route": 0}, "body": {"body": b"[]"}, "4128768": {"body": b'{"a":"' + b"x" * 4_128_800 + b'"}'},
        }.items():
            with self.subTest(field):
                given = {"delivery_id": "wrong", **change}
                self.assertIn(field, self.refused(grpc.StatusCode.INVALID_ARGUMENT, self.client.enqueue, **given))
        self.assertEqual(journal(self.stack, "wrong"), [])

    def test_is_not_for_clients_on_tcp_and_not_shown_to_them(self):
        with DeliveryClient(self.stack.grpc) as outsider:
            for function, argument in ((outsider.enqueue, "tcp"), (outsider.call, SEARCH)):
                self.assertIn("internal", self.refused(grpc.StatusCode.PERMISSION_DENIED, function, argument))
        with Reflected(self.stack.grpc) as client:
            self.assertEqual([service for service in client.services() if ".internal." in service], [])


class Calls(Delivery):
    def calls(self):
        return [row for row in journal(self.stack) if row["delivery_id"].startswith("call-")]

    def test_answers_what_the_oms_answers_and_is_in_the_journal(self):
        self.assertEqual(self.client.call(SEARCH, {"query": {}})["total"], 0)
        (request, message), = received(self.oms)
        self.assertEqual((request.path, message["params"]), ("/remote/oms", {"query": {}}))
        row = self.calls()[-1]
        self.assertEqual((row["status"], row["attempt_count"], row["delivery_id"]), ("SUCCESS", 1, message["id"]))

    def test_is_asked_once_whatever_goes_wrong(self):
        expected = {
            grpc.StatusCode.FAILED_PRECONDITION: (
                faults.error({"code": -32602, "message": "no query"}), faults.error("locked"), faults.with_status(400)),
            grpc.StatusCode.UNAVAILABLE: (
                faults.with_status(500), faults.retry_after(503, 7), faults.html(), faults.half_an_answer(),
                faults.closing(True), faults.resetting(True),
                faults.redirect("http://127.0.0.1:1/elsewhere")),
        }
        for code, planned in expected.items():
            for fault in planned:
                with self.subTest(fault.kind):
                    self.oms.requests.clear()
                    self.oms.faults.plan(fault, path="/remote")  # for all of them: the registration goes that way, too
                    details = self.refused(code, self.client.call, SEARCH)
                    self.oms.faults.clear()
                    self.assertEqual(len(received(self.oms)), 1)
                    row = self.calls()[-1]
                    self.assertEqual((row["status"], row["attempt_count"], row["reason"]), ("ERROR", 1, details))

    def test_ends_with_the_callers_deadline(self):
        self.oms.faults.hold()
        began = time.monotonic()
        before = len(self.calls())
        self.refused(grpc.StatusCode.DEADLINE_EXCEEDED, self.client.call, SEARCH, timeout=1)
        self.assertLess(time.monotonic() - began, 10)
        wait_until(lambda: len(self.calls()) == before + 1, "the call to be in the journal")
        self.assertEqual(self.calls()[-1]["status"], "ERROR")
        self.oms.faults.clear()
        wait_until(lambda: received(self.oms, SEARCH), "the OMS to be through with it")


class BusFaults(Delivery):
    RETRIED = {
        "500": (faults.with_status(500), "500"), "503": (faults.with_status(503), "503"),
        "408": (faults.with_status(408), "408"), "429 for a second": (faults.retry_after(429, 1), "429"),
        "a login page": (faults.html(), "no JSON"), "a page for 502": (faults.html(502), "502"),
        "half an answer": (faults.half_an_answer(), ""),
        "an error": (faults.error({"code": -32000, "message": "order 7 is not there yet"}), "order 7 is not there yet"),
        "an error as a text": (faults.error("deadlock"), "deadlock"),
        "elsewhere": (faults.redirect("http://127.0.0.1:1/elsewhere?token=x"), "http://127.0.0.1:1/elsewhere"),
    }

    def test_what_may_pass_is_tried_again_and_says_why(self):
        for number, (what, (fault, words)) in enumerate(self.RETRIED.items()):
            with self.subTest(what):
                self.oms.requests.clear()
                self.oms.faults.plan(fault, times=1, path="/delegate")
                name = f"fault-{number}"
                self.client.enqueue(name)
                row, = self.wait_for("SUCCESS", name)
                self.assertEqual(row["attempt_count"], 2)
                self.assertIn(words.encode(), row["attempts"])
                self.assertNotIn(b"token=x", row["attempts"])
                self.assertEqual([message["id"] for _, message in received(self.oms)], [name, name])

    def test_connection_that_ends_without_an_answer_loses_nothing(self):
        # The first try again is the HTTP library's, when the connection was an old one: the bus may have closed it meanwhile.
        for what, fault in {
            "closed before": faults.closing(False), "closed after": faults.closing(True), "reset": faults.resetting(True),
        }.items():
            with self.subTest(what):
                self.oms.requests.clear()
                self.oms.faults.plan(fault, times=3, path="/delegate")
                self.client.enqueue(f"ended {what}")
                row, = self.wait_for("SUCCESS", f"ended {what}")
                self.assertIn(row["attempt_count"], (3, 4))
                self.assertEqual([message["id"] for _, message in received(self.oms)], [f"ended {what}"] * 4)

    def test_token_that_the_bus_has_ended_costs_no_try(self):
        self.oms.bus.revoke_tokens()
        self.client.enqueue("token")
        self.assertEqual(self.wait_for("SUCCESS", "token")[0]["attempt_count"], 1)

    def test_what_will_never_be_taken_is_dead_at_once_and_the_oms_is_told_once(self):
        planned = {
            "400": faults.with_status(400), "404": faults.with_status(404), "422": faults.with_status(422),
            "-32601": faults.error({"code": -32601, "message": "unknown method"}),
            "-32602": faults.error({"code": -32602, "message": "no sku"}),
        }
        for what, fault in planned.items():
            with self.subTest(what):
                self.oms.requests.clear()
                self.oms.faults.plan(fault, times=1, path="/events")
                self.client.enqueue(f"never{what}", key="k", route="events")
                row, = self.wait_for("DEAD", f"never{what}")
                self.assertEqual(row["attempt_count"], 1)
                wait_until(lambda: received(self.oms, NOTIFY), "the notice of it")
                self.client.enqueue(f"behind{what}", key="k", route="events")
                self.wait_for("SUCCESS", f"behind{what}")
                (request, notice), = received(self.oms, NOTIFY)
                self.assertEqual(request.path, "/delegate/oms")
                self.assertEqual(
                    (notice["params"]["topic"], notice["params"]["delivery_id"]), (UPDATE, f"never{what}"))
                self.assertEqual(notice["params"]["message"], row["reason"])
                self.assertIn("payload", notice["params"])

    def test_notice_that_is_refused_makes_no_other(self):
        self.oms.faults.plan(faults.with_status(400), times=2, path="/delegate")
        self.client.enqueue("dead")
        self.wait_for("DEAD", "dead")
        wait_until(lambda: any(row["method"] == NOTIFY and row["status"] == "DEAD" for row in journal(self.stack)), "the end of it")
        self.client.enqueue("after")
        self.wait_for("SUCCESS", "after")
        self.assertEqual(len(received(self.oms, NOTIFY)), 1)

    def test_messages_outlive_an_oms_that_is_down_and_a_gateway_that_is_killed(self):
        self.oms.down()
        ids = [f"down-{n}" for n in range(60)]
        for n, each in enumerate(ids):
            self.client.enqueue(each, key=f"k{n % 5}")
        wait_until(lambda: any(row["attempt_count"] for row in journal(self.stack, *ids)), "a first try")
        self.stack.gateway.kill()
        self.stack.gateway.start().wait_healthy()
        self.assertTrue(all(row["status"] == "PENDING" for row in journal(self.stack, *ids)))
        self.oms.up()
        self.wait_for("SUCCESS", *ids, timeout_s=90)
        found = arrived(self.oms)
        self.assertEqual(sorted(found), sorted(ids), "each once")
        for key in range(5):
            self.assertEqual([each for each in found if int(each[5:]) % 5 == key], ids[key::5])

    def test_stop_does_not_wait_for_an_oms_that_answers_nothing(self):
        self.oms.faults.hold()
        asked = []
        self.oms.before_answer = asked.append
        for n in range(40):
            self.client.enqueue(f"held-{n}", key=f"k{n}")
        wait_until(lambda: len([each for each in asked if each.get("method") == UPDATE]) == 16, "the OMS to have its hands full")
        self.oms.before_answer = lambda request: None
        began = time.monotonic()
        self.stack.gateway.signal(signal.SIGTERM)
        self.assertEqual(self.stack.gateway.wait(), 0, self.stack.gateway.log()[-2000:])
        self.assertLess(time.monotonic() - began, 10)
        self.oms.faults.clear()
        self.stack.gateway.start().wait_healthy()
        self.wait_for("SUCCESS", *[f"held-{n}" for n in range(40)])
        wait_until(lambda: len(received(self.oms)) == 40 + 16, "the OMS to be through with all of them")

    def test_unregistered_connector_sends_nothing_until_it_is_registered_again(self):
        self.assertEqual(self.stack.omsctl("unregister").returncode, 0)
        self.oms.requests.clear()
        self.client.enqueue("unregistered")
        self.assertEqual(self.stack.omsctl("register").returncode, 0)
        row, = self.wait_for("SUCCESS", "unregistered")
        self.assertEqual(row["attempt_count"], 1)
        methods = [json.loads(request.body)["method"] for request in self.oms.requests.all() if request.path != "/oauth/token"]
        self.assertIn("magento.service_bus.remote.register", methods[:methods.index(UPDATE)])


class OtherGateways(unittest.TestCase):
    def test_without_an_oms_messages_wait_for_one(self):
        with Oms() as oms, Stack(services=("gateway",)) as stack, DeliveryClient(stack.socket("gateway")) as client:
            for n in range(10):
                client.enqueue(f"early-{n}", key="k")
            self.assertIn("OMS_URL", self.failed_call(client))
            stack.gateway.stop()
            self.assertEqual({row["status"] for row in journal(stack)}, {"PENDING"})
            stack.gateway.environment["OMS_URL"] = oms.url
            stack.gateway.start().wait_healthy()
            wait_until(lambda: {row["status"] for row in journal(stack)} == {"SUCCESS"}, "the messages to be delivered")
            self.assertEqual(arrived(oms), [f"early-{n}" for n in range(10)])

    def failed_call(self, client):
        with self.assertRaises(grpc.RpcError) as caught:
            client.call(SEARCH)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.FAILED_PRECONDITION)
        return caught.exception.details()

    def test_no_more_at_a_time_and_no_more_a_second_than_the_settings_say(self):
        with registered_stack(services=("gateway",), oms_max_rate="40", oms_max_concurrency="3") as (oms, stack):
            busy, most, lock = 0, 0, threading.Lock()

            def count(by):
                def change(request):
                    nonlocal busy, most
                    if request.get("method") == UPDATE:
                        with lock:
                            busy += by
                            most = max(most, busy)
                return change

            oms.before_answer, oms.after_answer = count(1), count(-1)
            oms.faults.slow(0.02)
            with DeliveryClient(stack.socket("gateway")) as client:
                for n in range(120):
                    client.enqueue(f"many-{n}", route=("remote", "delegate", "events")[n % 3])
                wait_until(lambda: len(arrived(oms)) == 120, "all to arrive")
            times = [request.at for request, _ in received(oms)]
            self.assertLessEqual(most, 3)
            seconds = [sum(first <= each < first + 1 for each in times) for first in times]
            self.assertLessEqual(max(seconds), 40 + 4 + 4, "with a tenth of a second at once, and delays on the way")

    @unittest.skipIf(FAKETIME is None, "Debian's faketime is not installed")
    def test_after_48_hours_a_message_is_dead_and_the_oms_is_told(self):
        with registered_stack(services=("gateway",)) as (oms, stack):
            oms.faults.answer(500, path="/events")
            with DeliveryClient(stack.socket("gateway")) as client:
                client.enqueue("old", route="events")
                wait_until(lambda: journal(stack, "old")[0]["attempt_count"], "a first try")
            for hours, status in ((47, "PENDING"), (49, "DEAD")):
                stack.gateway.stop()
                tries = journal(stack, "old")[0]["attempt_count"]
                start_later(stack.gateway, hours)
                wait_until(lambda: journal(stack, "old")[0]["attempt_count"] > tries, f"a try after {hours} hours")
                wait_until(lambda: journal(stack, "old")[0]["status"] == status, f"{status} after {hours} hours")
            wait_until(lambda: received(oms, NOTIFY), "the notice of it")
            self.assertIn("given up after", received(oms, NOTIFY)[0][1]["params"]["message"])


if __name__ == "__main__":
    unittest.main()
