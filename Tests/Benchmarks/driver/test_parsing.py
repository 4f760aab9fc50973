"""What the driver reads from other programs."""

import unittest

from . import callgrind, h2load, store_source
from .failure import Failure

SUMMARY = """
finished in 380.27ms, 525947.63 req/s, 42.64MB/s
requests: 200000 total, 200000 started, 200000 done, 199999 succeeded, 1 failed, 0 errored, 0 timeout
status codes: 199999 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 16.21MB (17000736) total, 390.72KB (400096) headers (space savings 94.74%), 10.49MB (11000000) data
"""


class Parsing(unittest.TestCase):
    def test_h2load_summary(self):
        self.assertEqual(h2load.parse(SUMMARY), h2load.Result(525947.63, 199999, 11000000))

    def test_an_unknown_summary_is_a_failure(self):
        with self.assertRaises(Failure):
            h2load.parse("h2load: nothing of that sort")

    def test_times_of_the_log_are_read_and_sorted(self):
        self.assertEqual(h2load.parse_times("1763760000000001\t200\t312\n1763760000000009\t200\t77\n"), [77, 312])

    def test_callgrind_parts_are_added_up(self):
        self.assertEqual(callgrind.parse_total("events: Ir\ntotals: 12\nfn=x\ntotals: 30\n"), 42)

    def test_callgrind_output_without_totals_is_a_failure(self):
        with self.assertRaises(Failure):
            callgrind.parse_total("version: 1\n")

    def test_pragmas_are_read_with_their_values_and_conditional_ones_left_out(self):
        source = """
            try execute("PRAGMA synchronous = FULL")
            try execute("PRAGMA cache_size = -\\(cacheKiB)")
            if readOnly { try execute("PRAGMA query_only = ON") }
            if readOnly {
              try execute("PRAGMA query_only = ON")
            }
        """
        self.assertEqual(
            store_source.pragmas_in(source, {"cacheKiB": 64}),
            "PRAGMA journal_mode = WAL;\nPRAGMA synchronous = FULL;\nPRAGMA cache_size = -64;\n",
        )
        with self.assertRaises(Failure):
            store_source.pragmas_in(source, {})

    def test_statements_are_found_among_the_literals_for_each_engine(self):
        source = "\n".join(path.read_text() for path in sorted(store_source.STORE.glob("*.swift")))
        for engine, each in store_source.EACH.items():
            with self.subTest(engine=engine):
                statements = store_source.statements_in(source, engine)
                together = store_source.TOGETHER if engine == "PostgreSQL" else {}
                self.assertEqual(statements.keys(), store_source.STATEMENTS.keys() | together.keys())
                self.assertIn(each, statements["named.sql"])
                self.assertEqual("$1" in statements["upsert.sql"], engine == "PostgreSQL")

    def test_a_statement_that_is_missing_or_there_twice_is_a_failure(self):
        source = "\n".join(path.read_text() for path in sorted(store_source.STORE.glob("*.swift")))
        with self.assertRaises(Failure):
            store_source.statements_in(source.replace("INSERT INTO \\(StockSchema.history)", "INSERT INTO x"), "SQLite")
        with self.assertRaises(Failure):
            store_source.statements_in(source + source, "SQLite")
