"""The form that other tools read, and the bound's logic."""

import json
import unittest

from .measures import AT_LEAST, AT_MOST, Measure, as_json, as_table


class Bounds(unittest.TestCase):
    def test_the_median_decides_not_the_extremes(self):
        cases = [
            (AT_MOST, [1.0, 1.3, 9.0], 1.4, True),
            (AT_MOST, [1.0, 1.5, 1.6], 1.4, False),
            (AT_MOST, [1.4], 1.4, True),
            (AT_LEAST, [0.1, 0.8, 0.9], 0.7, True),
            (AT_LEAST, [0.6, 0.6, 9.0], 0.7, False),
            (AT_LEAST, [0.7], 0.7, True),
            # An even number of rounds: the mean of the two in the middle.
            (AT_MOST, [1.0, 1.3, 1.5, 2.0], 1.4, True),
        ]
        for kind, values, bound, holds in cases:
            with self.subTest(kind=kind, values=values):
                self.assertIs(Measure("m", values, kind, bound).holds, holds)

    def test_without_a_bound_a_measure_only_reports(self):
        self.assertIsNone(Measure("m", [1.0]).holds)

    def test_a_measure_without_values_or_with_an_unknown_kind_is_refused(self):
        with self.assertRaises(ValueError):
            Measure("m", [])
        with self.assertRaises(ValueError):
            Measure("m", [1.0], "about")


class Forms(unittest.TestCase):
    MEASURES = [Measure("ratio", [1.0, 3.0, 2.0], AT_MOST, 1.9), Measure("calls/s", [250_000.4], AT_LEAST)]

    def test_json_has_exactly_the_agreed_members(self):
        self.assertEqual(
            json.loads(as_json(self.MEASURES)),
            [
                {
                    "measure": "ratio",
                    "median": 2.0,
                    "min": 1.0,
                    "max": 3.0,
                    "bound": 1.9,
                    "kind": "at_most",
                    "holds": False,
                },
                {
                    "measure": "calls/s",
                    "median": 250000.0,
                    "min": 250000.0,
                    "max": 250000.0,
                    "bound": None,
                    "kind": "at_least",
                    "holds": None,
                },
            ],
        )

    def test_the_table_is_aligned_and_marks_what_does_not_hold(self):
        lines = as_table(self.MEASURES).splitlines()
        self.assertEqual(len({len(line) for line in lines}), 1)
        self.assertEqual(lines[0].split(), ["measure", "median", "min–max", "bound"])
        self.assertEqual(lines[1].split(), ["ratio", "2", "1–3", "≤", "1.9", "MISSES"])
        self.assertEqual(lines[2].split(), ["calls/s", "250000", "250000–250000"])
