"""The ways of telling a story do what they say, without a connector."""

import types
import unittest

from story import Telling


class Bus:
    """Takes messages, and says that they were delivered."""

    def __init__(self):
        self.sent = []

    def publish(self, method, params, message_id):
        self.sent.append((method, message_id))
        return [types.SimpleNamespace(delivered=True, result=params)]


class World:
    def __init__(self):
        self.oms = types.SimpleNamespace(bus=Bus())
        self.consumed = []

    def journal(self, message_id):
        self.consumed.append(message_id)
        return (2, "")


class Tellings(unittest.TestCase):
    def tell(self, **how):
        """Three messages, a pause, two messages. What was sent, in its order."""
        self.world = World()
        telling = Telling(types.SimpleNamespace(world=self.world), **how)
        for name in ("a", "b", "c"):
            telling.says((name, {}))
        telling.pause()
        for name in ("d", "e"):
            telling.says((name, {}))
        telling.pause()
        self.telling = telling
        return [method for method, _ in self.world.oms.bus.sent]

    def test_as_told(self):
        self.assertEqual(self.tell(), ["a", "b", "c", "d", "e"])
        self.assertEqual(self.telling.pairs, [0, 1, 3], "c and d are in different parts")

    def test_every_message_twice_under_one_id_and_once_under_another(self):
        self.assertEqual("".join(self.tell(copies=2)), "aaabbbcccdddeee")
        ids = [message_id for _, message_id in self.world.oms.bus.sent[:3]]
        self.assertEqual((ids[0] == ids[1], ids[0] == ids[2]), (True, False))

    def test_swapped(self):
        for swap, expected in ((0, "bacde"), (1, "acbde"), (3, "abced")):
            self.assertEqual("".join(self.tell(swap=swap)), expected)
        self.assertEqual(len(self.world.consumed), 1, "the late one waits until the early one is consumed")

    def test_message_without_a_successor_in_its_part_arrives_all_the_same(self):
        self.assertEqual("".join(self.tell(swap=2)), "abcde")

    def test_waiting_is_passed_over_while_a_message_is_held_back(self):
        telling = Telling(types.SimpleNamespace(world=World()), swap=0)
        telling.says(("a", {}))
        telling.then((lambda: self.fail("a has not arrived"), "a's effect"))
        telling.says(("b", {}))
        telling.then((lambda: True, "the effect of both"))

    def test_queries_are_answered_alike(self):
        world = World()
        telling = Telling(types.SimpleNamespace(world=world), copies=2)
        self.assertEqual(telling.asks(("q", {"a": 1})), {"a": 1})
        self.assertEqual(len(world.oms.bus.sent), 2)


if __name__ == "__main__":
    unittest.main()
