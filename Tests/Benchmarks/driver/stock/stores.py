"""Stores of either engine that hold the stock of yesterday: made once, and copied for each measurement."""

import shutil
import sqlite3
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from .. import build, store_source
from ..failure import Failure
from ..services import STORE_FILE, Service
from .work import STORED_SECONDS, Work

sys.path.insert(0, str(build.ROOT / "Tests" / "Support"))

from postgresql import PostgreSQL as Server  # noqa: E402 – the path has to be set first

TABLE = "cataloginventory_stock_item_update"
HISTORY = "stock_history"
STORED_NS = STORED_SECONDS * 1_000_000_000
COPY_LIMIT_SECONDS = 600


class Store(ABC):
    """One store. `url` is a value of DATABASE_URL; `arguments` say to a bare loop where it is."""

    url: str
    arguments: list[str]

    @abstractmethod
    def query(self, sql: str) -> list[tuple]:
        """Rows of integers."""


class Engine(ABC):
    name: str

    @abstractmethod
    def copy(self, work: Work) -> Iterator[Store]:
        """A context manager: a store that holds the stock of yesterday, for one measurement."""

    @abstractmethod
    def bare(self, program: str) -> Path:
        """The bare loop `stream` or `updates`."""


# SQLite


class _File(Store):
    def __init__(self, directory: Path, statements: Path):
        self._path = directory / STORE_FILE
        self.url = f"sqlite:{directory}"
        self.arguments = [str(self._path), str(statements), str(store_source.checkpoint_pages())]

    def query(self, sql: str) -> list[tuple]:
        with closing(sqlite3.connect(self._path)) as connection:
            return connection.execute(sql).fetchall()


class SQLite(Engine):
    name = "SQLite"

    def __init__(self, inventory: Path, directory: Path):
        self._inventory, self._directory = inventory, directory
        self._statements = directory / "sqlite-statements"
        store_source.write(self._statements, "SQLite")
        self._filled: dict[Work, Path] = {}

    @contextmanager
    def copy(self, work: Work) -> Iterator[Store]:
        if work not in self._filled:
            self._filled[work] = self._fill(work)
        directory = Path(tempfile.mkdtemp(prefix="store-", dir=self._directory))
        try:
            shutil.copytree(self._filled[work], directory, dirs_exist_ok=True)
            yield _File(directory, self._statements)
        finally:
            shutil.rmtree(directory)

    def _fill(self, work: Work) -> Path:
        build.say(f"SQLite: a store of {work.stored} rows is made")
        directory = self._directory / f"filled-{work.aggregates}-{work.skus}"
        directory.mkdir()
        _make_schema(self._inventory, f"sqlite:{directory}")
        with closing(sqlite3.connect(directory / STORE_FILE)) as connection:
            connection.execute(
                f"""
                WITH RECURSIVE aggregates (a) AS (SELECT 0 UNION ALL SELECT a + 1 FROM aggregates WHERE a + 1 < ?1),
                skus (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM skus WHERE i + 1 < ?2)
                INSERT INTO {TABLE} (aggregate_id, sku, quantity, unlimited, created_on, by_nonzero)
                SELECT 'aggregate-' || a, printf('SKU-%08d', i), i * 7919 % 1000, 0, {STORED_NS}, 0
                FROM aggregates CROSS JOIN skus
                """,
                (work.aggregates, work.skus),
            )
            connection.commit()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return directory

    def bare(self, program: str) -> Path:
        return _bare("sqlite", program, ["sqlite3"])


# PostgreSQL


class _Database(Store):
    def __init__(self, server: "PostgreSQL", name: str, statements: Path):
        self._server, self._name = server, name
        self.url = server.url(name)
        self.arguments = [self.url, str(statements)]

    def query(self, sql: str) -> list[tuple]:
        lines = self._server.query(f"SET search_path TO inventory;\n{sql}", self._name)
        return [tuple(int(value) for value in line.split("|")) for line in lines]


class PostgreSQL(Engine):
    """A server of its own, as Debian sets it up but for a larger cache and rarer checkpoints; a context manager that ends it."""

    name = "PostgreSQL"
    # Larger than what is measured. No checkpoint falls into one contestant's time and not into the other's.
    SETTINGS = {"shared_buffers": "'512MB'", "max_wal_size": "'16GB'", "checkpoint_timeout": "'1h'"}

    def __init__(self, inventory: Path, directory: Path):
        self._inventory = inventory
        self._statements = directory / "postgresql-statements"
        store_source.write(self._statements, "PostgreSQL")
        self._server = Server()
        self._filled: dict[Work, str] = {}
        self._copies = 0

    def __enter__(self) -> "PostgreSQL":
        self._server.__enter__()
        try:
            for name, value in self.SETTINGS.items():
                self.query(f"ALTER SYSTEM SET {name} = {value}", "oms")
            self._server.stop()
            self._server.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._server.__exit__()

    @property
    def pid(self) -> int:
        """Of the process whose children serve the connections."""
        return int((Path(self._server.directory) / "data" / "postmaster.pid").read_text().split()[0])

    def url(self, database: str) -> str:
        return self._server.url.replace("/oms?", f"/{database}?")

    def query(self, sql: str, database: str) -> list[str]:
        command = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]
        done = subprocess.run(
            [*command, self.url(database)], input=sql, capture_output=True, text=True, timeout=COPY_LIMIT_SECONDS
        )
        if done.returncode != 0:
            raise Failure(f"psql failed: {done.stderr.strip()[-2000:]}")
        return done.stdout.splitlines()

    @contextmanager
    def copy(self, work: Work) -> Iterator[Store]:
        if work not in self._filled:
            self._filled[work] = self._fill(work)
        self._copies += 1
        name = f"copy_{self._copies}"
        self.query(f"CREATE DATABASE {name} TEMPLATE {self._filled[work]} STRATEGY FILE_COPY", "oms")
        try:
            self.query("CHECKPOINT", "oms")
            yield _Database(self, name, self._statements)
        finally:
            self.query(f"DROP DATABASE {name} WITH (FORCE)", "oms")

    def _fill(self, work: Work) -> str:
        build.say(f"PostgreSQL: a store of {work.stored} rows is made")
        name = f"filled_{work.aggregates}_{work.skus}"
        self.query(f"CREATE DATABASE {name}", "oms")
        _make_schema(self._inventory, self.url(name))
        self.query(
            f"""
            SET search_path TO inventory;
            INSERT INTO {TABLE} (aggregate_id, sku, quantity, unlimited, created_on, by_nonzero)
            SELECT 'aggregate-' || a, 'SKU-' || lpad(i::text, 8, '0'), i::bigint * 7919 % 1000, 0, {STORED_NS}, 0
            FROM generate_series(0, {work.aggregates - 1}) AS a CROSS JOIN generate_series(0, {work.skus - 1}) AS i
            ORDER BY a, i;
            VACUUM (ANALYZE) {TABLE};
            """,
            name,
        )
        return name

    def bare(self, program: str) -> Path:
        return _bare("postgresql", program, ["libpq"])


def _make_schema(inventory: Path, url: str) -> None:
    """The service makes it; nothing of it is written down here."""
    with Service(inventory, url):
        pass


def _bare(engine: str, program: str, libraries: list[str]) -> Path:
    store = build.HERE / "store"
    sources = [*sorted(store.glob("*.c")), *sorted((store / engine).glob("*.c"))]
    return build.c_program(f"{engine}-{program}", [*sources, store / "programs" / f"{engine}-{program}.c"], libraries)
