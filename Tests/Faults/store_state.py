"""What is stored: stock through the public API, journal, inbox and outbox from the stores."""

import contextlib
import json
import os
import sqlite3
import subprocess

from bus import quantities
from reflected import Reflected
from waiting import wait_until

# Those of omsconnector.v1.
DIRECTIONS = {1: "INCOMING", 2: "OUTGOING"}
STATUSES = {1: "PENDING", 2: "SUCCESS", 3: "IGNORED", 4: "ERROR", 5: "DEAD"}
PENDING = 1
SERVICES = ("catalog", "inventory", "sales", "post-sales")  # those that have an inbox and an outbox
JOURNAL = """
    SELECT id, direction, status, delivery_id, method, message_key AS key, destination, {body} AS body, attempt_count, reason,
           replay_count, handled_by FROM journal ORDER BY id"""
INBOX = "SELECT {number} AS id, {identity} AS identity, method FROM inbox ORDER BY {number}"
OUTBOX = "SELECT id, method FROM outbox ORDER BY id"
REFUSED = "SELECT id, method, reason FROM outbox_refused ORDER BY id"


class SQLiteStores:
    """Reads the files beside the services that write them."""

    _TEXTS = {"body": "CAST(body AS TEXT)", "identity": "lower(hex(identity))", "number": "id"}

    def __init__(self, directory):
        self._directory = directory

    def has(self, service, table):
        return bool(self.query(service, f"SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '{table}'"))

    def query(self, service, sql):
        """The rows as dicts; none when the service has no store. {body} and {identity} are those columns as texts, {number}
        grows from note to note of the inbox."""
        path = os.path.join(self._directory, f"{service}.sqlite")
        if not os.path.exists(path):
            return []
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(_filled(sql, self._TEXTS))]


class PostgreSQLStores:
    """The same of a PostgreSQL server, by psql."""

    _TEXTS = {"body": "convert_from(body, 'UTF8')", "identity": "encode(identity, 'hex')", "number": "noted_at"}

    def __init__(self, url):
        self._url = url

    def has(self, service, table):
        found = self.query(service, f"SELECT 1 FROM pg_tables WHERE schemaname = '{service}' AND tablename = '{table}'")
        return bool(found)

    def query(self, service, sql):
        sql = f"SET search_path TO \"{service}\"; SELECT row_to_json(found) FROM ({_filled(sql, self._TEXTS)}) AS found"
        done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", self._url, "-c", sql],
                              capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise AssertionError(f"psql: {done.stderr}")
        return [json.loads(line) for line in done.stdout.splitlines()]


def _filled(sql, texts):
    for name, text in texts.items():
        sql = sql.replace("{" + name + "}", text)
    return sql


class State:
    """The state of one stack."""

    def __init__(self, stack, stores):
        self._stack = stack
        self._stores = stores
        self._tables = set()  # those that were seen

    def journal(self):
        rows = self._stores.query("gateway", JOURNAL)
        for row in rows:
            row["direction"], row["status"] = DIRECTIONS[row["direction"]], STATUSES[row["status"]]
        return rows

    def journal_count(self, condition):
        """Messages of the journal for which that SQL holds."""
        return self._stores.query("gateway", f"SELECT count(*) AS n FROM journal WHERE {condition}")[0]["n"]

    def rows(self, table, sql):
        """Those of all services that have the table; ids of different services don't mix, as only one has rows."""
        for service in SERVICES:
            if (service, table) not in self._tables and self._stores.has(service, table):
                self._tables.add((service, table))
        return [row for service, known in sorted(self._tables) if known == table for row in self._stores.query(service, sql)]

    def inbox(self):
        return self.rows("inbox", INBOX)

    def effects(self):
        """How many messages have had their effect."""
        return sum(row["n"] for row in self.rows("inbox", "SELECT count(*) AS n FROM inbox"))

    def outbox(self):
        """What has not been handed to the gateway."""
        return self.rows("outbox", OUTBOX)

    def refused(self):
        """What the gateway does not take."""
        return self.rows("outbox_refused", REFUSED)

    def wait_at_rest(self, timeout_s=120):
        """Until nothing waits any more: no row of an outbox, no pending message."""
        wait_until(lambda: not self._waiting(), _Text(lambda: f"everything to come to rest: {self._waiting()}"),
                   timeout_s, every_s=0.1)

    def _waiting(self):
        """What waits, in words; empty when nothing does."""
        pending = self.journal_count(f"status = {PENDING}")
        outbox = self.outbox()
        return ", ".join(words for words in (f"{pending} pending" if pending else "",
                                             f"{len(outbox)} in an outbox" if outbox else "") if words)

    def write(self, path, aggregates):
        """What the checker reads as state.jsonl."""
        with open(path, "w", encoding="utf-8") as file, Reflected(self._stack.grpc) as client:
            for aggregate in aggregates:
                for sku, quantity in quantities(client, aggregate).items():
                    _line(file, "stock", {"aggregate_id": aggregate, "sku": sku, "quantity": quantity})
            for table, rows in (("journal", self.journal()), ("inbox", self.inbox()), ("outbox", self.outbox() + self.refused())):
                for row in rows:
                    _line(file, table, row)


class _Text:
    """Words that are made when they are needed."""

    def __init__(self, make):
        self._make = make

    def __str__(self):
        return self._make()


def _line(file, table, row):
    file.write(json.dumps({"table": table, **row}, ensure_ascii=False) + "\n")
