"""How fast stock is written, and what memory that takes, as the store grows."""

import tempfile
from pathlib import Path

from .. import build
from ..measures import AT_LEAST, Measure
from ..services import Service
from .loads import Loads, numbers
from .stores import Engine, PostgreSQL, SQLite
from .work import ROWS_PER_DELTA, ROWS_PER_PART, Work

SIZES = [10_000, 100_000, 1_000_000, 10_000_000]
ROWS = {"neighbours": 1_000_000, "scattered": 100_000}
QUICK_ROWS = {"neighbours": 100_000, "scattered": 10_000}
TITLES = {
    "neighbours": f"in parts of {ROWS_PER_PART}, neighbours",
    "scattered": f"in DELTAs of {ROWS_PER_DELTA}, scattered",
}


def run(quick: bool, rounds: int | None = None) -> list[Measure]:
    build.require_packages("postgresql")
    inventory, loads = build.swift_product("inventory"), Loads.build()
    sizes, rows = (SIZES[:3], QUICK_ROWS) if quick else (SIZES, ROWS)
    with tempfile.TemporaryDirectory(prefix="curve-", dir=build.OUTPUT) as folder:
        directory = Path(folder)
        with PostgreSQL(inventory, directory) as postgresql:
            points = [
                Point(engine, inventory, loads, size, rows)
                for engine in (SQLite(inventory, directory), postgresql)
                for size in sizes
            ]
            for number in range(rounds or (1 if quick else 3)):
                for point in points if number % 2 == 0 else reversed(points):
                    point.round(number)
    return [measure for point in points for measure in point.measures()]


class Point:
    """A store of one size."""

    def __init__(self, engine: Engine, inventory: Path, loads: Loads, skus: int, rows: dict[str, int]):
        self._engine, self._inventory, self._loads, self._rows = engine, inventory, loads, rows
        self._work = Work(1, skus)
        self._title = f"{skus} SKUs, {engine.name}"
        self._rates: dict[str, list[float]] = {kind: [] for kind in TITLES}
        self._memory: dict[str, list[float]] = {"RSS, peak": [], "RssAnon at the end": []}

    def round(self, number: int) -> None:
        build.say(f"{self._title}: round {number + 1}")
        with self._engine.copy(self._work) as store, Service(self._inventory, store.url) as service:
            first = 0
            for kind, rows in self._rows.items():
                command = [self._loads.parts, service.target, self._work.skus, rows, kind, first]
                self._rates[kind] += numbers(command)
                # What follows is newer.
                first += rows // ROWS_PER_PART
            for name, field in (("RSS, peak", "VmHWM"), ("RssAnon at the end", "RssAnon")):
                self._memory[name].append(service.server.memory_kib(field) / 1024)

    def measures(self) -> list[Measure]:
        rates = [Measure(f"{self._title}, {TITLES[kind]}: rows/s", self._rates[kind], AT_LEAST) for kind in TITLES]
        return rates + [Measure(f"{self._title}: {name}, MiB", values) for name, values in self._memory.items()]
