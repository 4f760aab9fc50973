"""What stock has to come to, and where the time of a stream goes."""

import sqlite3
import tempfile
import unittest
from contextlib import closing, contextmanager
from pathlib import Path

from .failure import Failure
from .stock import outcome, where
from .stock.contests import Stream
from .stock.outcome import NANOSECONDS
from .stock.stores import HISTORY, TABLE, PostgreSQL, SQLite
from .stock.work import FULL_SECONDS, ROWS_PER_DELTA, STORED_SECONDS, Work, spread


class Works(unittest.TestCase):
    def test_a_full_is_spread_over_four_aggregates_in_whole_parts(self):
        for rows, skus in [(1_000_000, 250_000), (200_000, 50_000), (1, 20_000)]:
            with self.subTest(rows=rows):
                self.assertEqual(spread(rows), Work(4, skus))

    def test_two_deltas_name_each_sku_that_is_named_and_the_later_one_is_the_newest(self):
        for skus in (20_000, 50_000, 250_000, 1_000_000):
            with self.subTest(skus=skus):
                work = Work(1, skus)
                newest = work.newest_deltas()
                self.assertEqual(len(newest), work.deltas // 2)
                self.assertEqual(sorted(newest.values()), list(range(work.deltas // 2, work.deltas)))
                self.assertLess(max(newest), work.step)


class Outcome(unittest.TestCase):
    """A store as the rule has it, and the same with one row that is wrong."""

    WORK = Work(1, 20_000)

    def test_a_store_as_it_has_to_be_has_no_stale_overwrite(self):
        with self.store() as store:
            self.assertEqual(outcome.stale_overwrites(store, self.WORK), 0)

    def test_a_row_of_the_full_over_a_newer_one_is_seen(self):
        first = next(iter(self.WORK.newest_deltas()))
        with self.store() as store:
            store.execute(
                f"UPDATE {TABLE} SET quantity = ?, created_on = ? WHERE sku = ?",
                (first * 7919 % 1000 + first % 2, FULL_SECONDS * NANOSECONDS, f"SKU-{first:08d}"),
            )
            self.assertEqual(outcome.stale_overwrites(store, self.WORK), 1)

    def test_a_change_back_in_time_is_seen_though_a_newer_one_came_after_it(self):
        with self.store() as store:
            store.execute(f"INSERT INTO {HISTORY} VALUES (?, ?)", (FULL_SECONDS, FULL_SECONDS + 1))
            self.assertEqual(outcome.stale_overwrites(store, self.WORK), 1)

    def test_a_missing_row_is_a_failure(self):
        with self.store() as store:
            store.execute(f"DELETE FROM {TABLE} WHERE sku = 'SKU-00000007'")
            with self.assertRaises(Failure):
                outcome.stale_overwrites(store, self.WORK)

    def test_a_history_that_was_not_written_is_a_failure(self):
        with self.store() as store, self.assertRaises(Failure):
            outcome.check_history(store, self.WORK)

    @contextmanager
    def store(self):
        with tempfile.TemporaryDirectory() as folder, closing(_Store(Path(folder) / "store")) as store:
            newest = self.WORK.newest_deltas()
            for number in range(self.WORK.skus):
                delta = newest.get(number % self.WORK.step)
                quantity = number * 7919 % 1000 + number % 2 if delta is None else 2000 + delta
                seconds = FULL_SECONDS if delta is None else FULL_SECONDS + 1 + delta
                store.execute(
                    f"INSERT INTO {TABLE} VALUES (?, ?, ?)", (f"SKU-{number:08d}", quantity, seconds * NANOSECONDS)
                )
            store.execute(f"INSERT INTO {HISTORY} VALUES (?, ?)", (FULL_SECONDS, STORED_SECONDS))
            yield store


class _Store:
    def __init__(self, path: Path):
        self._connection = sqlite3.connect(path)
        self.execute(f"CREATE TABLE {TABLE} (sku TEXT, quantity INTEGER, created_on INTEGER)")
        self.execute(f"CREATE TABLE {HISTORY} (created_on INTEGER, previous_created_on INTEGER)")
        self.close = self._connection.close

    def execute(self, sql: str, values: tuple = ()) -> None:
        self._connection.execute(sql, values)

    def query(self, sql: str) -> list[tuple]:
        return self._connection.execute(sql).fetchall()


class _Rates(Stream):
    """A contest whose rates are known."""

    def __init__(self, engine: object):
        super().__init__(engine, Path(), None, Work(1, 20_000), replicas=2, bound=0.8)

    def _service_rate(self) -> float:
        self._stale_rows.append(0)
        self._stale_overwrites.append(0)
        return 6

    def _bare_stream(self, *arguments: str) -> float:
        return 4 if "together" in arguments else 3


class Contests(unittest.TestCase):
    def test_a_stream_is_compared_with_the_bare_loops_that_there_are_for_its_engine(self):
        for engine, ratios in [(SQLite, [2]), (PostgreSQL, [2, 1.5])]:
            with self.subTest(engine=engine.name):
                stream = _Rates(engine.__new__(engine))
                stream.round(0)
                self.assertEqual([m.median for m in stream.measures() if "/ bare loop" in m.name], ratios)


class Waiting(unittest.TestCase):
    def test_what_a_writer_waits_for(self):
        cases = {
            ".": where.COMPUTING,
            "Lock.advisory": where.KEY,
            "Lock.tuple": where.OTHER_LOCK,
            "LWLock.WALWrite": where.DISK,
            "LWLock.WALInsert": where.OTHER_LOCK,
            "IO.WALSync": where.DISK,
            "Client.ClientRead": where.REPLICA,
        }
        for wait, expected in cases.items():
            with self.subTest(wait=wait):
                self.assertEqual(where.kind(wait), expected)

    def test_shares_are_of_all_samples_of_all_writers(self):
        lines = [".", "Lock.advisory", "sample", "", ".", "Client.ClientRead", "sample"]
        shares = where.shares(lines, writers=2)
        self.assertEqual(shares[where.COMPUTING], 0.5)
        self.assertEqual(shares[where.KEY], 0.25)
        # What was not seen is idle between two transactions: its replica is at work.
        self.assertEqual(shares[where.REPLICA], 0.25)

    def test_no_samples_are_a_failure(self):
        with self.assertRaises(Failure):
            where.shares([], writers=1)
