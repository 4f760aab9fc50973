"""When the guard of instructions lets a change pass."""

import unittest

from . import guard
from .failure import Failure


class Guarding(unittest.TestCase):
    def test_up_to_three_percent_more_than_recorded_passes(self):
        for count, holds in [(900, True), (1000, True), (1029, True), (1031, False), (2000, False)]:
            with self.subTest(count=count):
                (measure,) = guard.judged({"synchronous": count}, {"synchronous": 1000})
                self.assertIs(measure.holds, holds)

    def test_what_has_no_record_is_a_failure(self):
        with self.assertRaises(Failure):
            guard.judged({"asynchronous": 1}, {"synchronous": 1000})

    def test_a_record_is_an_object_of_counts(self):
        self.assertEqual(guard.recorded('{"synchronous": 7}'), {"synchronous": 7})
        for text in ["", "[7]", '{"synchronous": "7"}']:
            with self.subTest(text=text), self.assertRaises(Failure):
                guard.recorded(text)
