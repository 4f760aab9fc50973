"""A story, told once and in other ways: with every message twice, and with two of its messages swapped. What is there in the
end has to be the same.

    class Parcels(Scenario):
        PRODUCTS = [{"sku": "MUG", "price": "10"}]

        @told
        def test_order_leaves_in_one_parcel(self, story):
            order = story.order({"MUG": 2})          # checkout, export; the OMS has it
            order.created()                          # the OMS says so
            order.ships({"MUG": 2})
            story.ends(order, shipments=1, state="complete")

What the OMS says is delivered at once, unless the telling swaps it with what it says next. `story.then` waits in between for
what a story needs to go on; while a message is held back for its successor it is passed over. `story.ends`, and all that the
shop does by itself, wait for everything that was said before: messages change places only between two of those.

SCENARIO_SEED repeats a run's choice of what is swapped.
"""

import functools
import json
import os
import random
import unittest
import uuid
from datetime import datetime, timezone

import grpc
import state
from orders import StoryOrder
from shop_simulator import place
from waiting import wait_until
from world import PENDING, SALES, SUCCESS, world

SEED = int(os.environ.get("SCENARIO_SEED") or random.randrange(1 << 32))
SWAPS = 3  # pairs that change places, a telling each; of more a choice


class Telling:
    """One way of telling a story. `copies`: how often a message comes under its id; one more comes under an id of its own.
    `swap`: the number, from 0, of the message that changes places with the next one."""

    def __init__(self, test, copies=1, swap=None):
        self.test, self.world = test, test.world
        self.copies, self._swap = copies, swap
        self.began = datetime.now(timezone.utc)
        self.name = f"t{uuid.uuid4().hex[:6]}"  # for what has to have a name of its own in each telling
        self.parts = []  # of each message the part of the story that it may be moved in
        self.said = []  # ids of the messages
        self.orders = []
        self.refusals = {}  # id → status that a message is meant to end with
        self._part = 0
        self._held = None
        self._ended = {}  # order → facts of the end
        self._kept = {}
        self._open = set()

    @property
    def pairs(self):
        """Numbers of messages that may change places with the next one."""
        return [n for n, (part, following) in enumerate(zip(self.parts, self.parts[1:])) if part == following]

    @property
    def is_repeated(self):
        return self.copies > 1

    @property
    def is_swapped(self):
        return self._swap is not None

    # What happens

    def order(self, lines, quirks=None, exported=True, **asked):
        """Somebody buys; see shop_simulator/checkout.py. `lines`: {SKU: quantity}, or what checkout takes."""
        self.pause()
        if isinstance(lines, dict):
            lines = [{"sku": sku, "quantity": quantity} for sku, quantity in lines.items()]
        with self.world.shop.lock:
            placed = place(self.world.shop, {"lines": lines, **asked}).as_json()
        order = self.known_order(placed, quirks)
        if exported:
            order.export()
            order.wait_until_sent()
        return order

    def known_order(self, placed, quirks=None):
        """One that the shop has already; nobody has exported it yet."""
        order = StoryOrder(self, placed, quirks)
        self.orders.append(order)
        return order

    def says(self, message):
        """The OMS sends (method, params)."""
        number = len(self.parts)
        self.parts.append(self._part)
        if number == self._swap:
            self._held = message
            return
        last = self._deliver(message)
        if self._held is not None:
            # Its effect comes before that of the message which is late.
            wait_until(lambda: (self.world.journal(last) or (PENDING,))[0] != PENDING, f"{message[0]} to be consumed")
            self._release()

    def asks(self, message):
        """The OMS asks, and waits for the answer: its result. Asked twice, it is answered alike."""
        self.pause()
        method, params = message
        answers = [self._post(method, params, f"q-{uuid.uuid4()}") for _ in range(self.copies)]
        for answer in answers:
            assert answer.delivered, answer.as_json()
            assert answer.result == answers[0].result, f"{method} was answered differently: {[a.result for a in answers]}"
        return answers[0].result

    def pause(self):
        """What was said so far has arrived before what comes next."""
        self._part += 1
        if self._held is not None:
            self._release()

    def then(self, what, **facts):
        """Goes on when it is so: a condition and `what` in words, or an order and facts of it (orders.py)."""
        if self._held is None:
            self._wait(what, facts)

    def ends(self, order, **facts):
        """It is so in the end, and stays so."""
        self.pause()
        self._ended.setdefault(order, {}).update(facts)
        if facts.get("exported") == "HELD":
            self.world.held.add(order.id)
        self._wait(order, facts)

    def by_and_by(self, condition, what):
        """The same for a condition: also when messages are swapped."""
        self.pause()
        return wait_until(condition, what)

    def keeps(self, name, value):
        """Something that is no order's and has to be the same in the end: a function that gives it."""
        self._kept[name] = value

    def depends_on_order(self, *documents):
        """What is in these documents one by one depends on which message came first; only their sums don't."""
        self._open.update(documents)

    def both(self, act):
        """Something that the shop or a client does; once more where everything comes twice. What it gave first."""
        self.pause()
        first = act()
        if self.is_repeated:
            act()
        return first

    # How it was

    def close(self):
        """Everything is through and nothing more happens."""
        self.pause()
        self.world.settle()
        for order, facts in self._ended.items():
            order.check(facts)
        for message_id in self.said:
            status, reason = self.world.journal(message_id)
            assert status == self.refusals.get(message_id, SUCCESS), f"message {message_id} ended as {status}: {reason}"

    def end_state(self):
        """Of every order what the shop has, what the connector knows, and what the OMS was told."""
        found = {"orders": [state.end(self.world, order) for order in self.orders],
                 **{name: value() for name, value in self._kept.items()}}
        for order in found["orders"]:
            for kind in self._open:
                del order["shop"][kind]
        return json.loads(json.dumps(found, default=str).replace(self.name, "NAME"))

    def report(self):
        """For whoever has to find out why it went wrong."""
        lines = [f"seed {SEED}"]
        for order in self.orders:
            try:
                known = json.dumps(self.world.call(f"{SALES}/GetOrder", {"increment_id": order.id}), indent=1)
            except grpc.RpcError as error:
                known = error.details()
            lines.append(f"the connector on order {order.id}: {known}")
        return "\n".join(lines + self.world.busy()[:20] + self.world.trouble()[-20:] + self.world.logs())

    # Delivery

    def _release(self):
        message, self._held = self._held, None
        self._deliver(message)

    def _deliver(self, message):
        method, params = message
        first = f"s-{uuid.uuid4()}"
        ids = [first] * self.copies + ([f"s-{uuid.uuid4()}"] if self.is_repeated else [])
        for message_id in ids:
            answer = self._post(method, params, message_id)
            assert answer.delivered, f"{method}: {answer.as_json()}"
        self.said += dict.fromkeys(ids)
        return first

    def _post(self, method, params, message_id):
        listeners = self.world.oms.bus.publish(method, params, message_id)
        assert listeners, f"the connector does not subscribe to {method}"
        return listeners[0]

    def _wait(self, what, facts):
        if isinstance(what, StoryOrder):
            what.wait(facts)
        else:
            condition, words = what
            wait_until(condition, words)


class Scenario(unittest.TestCase):
    """Stories of one world, which is started once for all of them."""

    WORLD = {}  # arguments of world.world
    PRODUCTS = []

    @classmethod
    def setUpClass(cls):
        cls.world = cls.enterClassContext(world(**cls.WORLD))
        if cls.PRODUCTS:
            cls.world.stock_up(cls.PRODUCTS)

    def tell(self, function, **how):
        """Tells it in one way."""
        telling = Telling(self, **how)
        try:
            function(self, telling)
            telling.close()
        except (AssertionError, TimeoutError, RuntimeError, grpc.RpcError) as error:
            raise AssertionError(f"{type(error).__name__}: {error}\n{telling.report()}") from error
        return telling

    def tell_in_all_ways(self, function):
        first = self.tell(function)
        expected = first.end_state()
        ways = {"everything twice": {"copies": 2}}
        ways.update({f"messages {n + 1} and {n + 2} swapped": {"swap": n} for n in _choice(first.pairs)})
        for name, how in ways.items():
            with self.subTest(name):
                told = self.tell(function, **how)
                self.assertEqual(told.end_state(), expected, f"it ends otherwise; seed {SEED}\n{told.report()}")


def told(function):
    """A test that is a story: (self, story)."""
    @functools.wraps(function)
    def test(self):
        self.tell_in_all_ways(function)

    return test


def _choice(pairs):
    return pairs if len(pairs) <= SWAPS else sorted(random.Random(SEED).sample(pairs, SWAPS))
