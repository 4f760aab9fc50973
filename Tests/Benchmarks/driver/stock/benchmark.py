"""The order of what is measured, and how much of each."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from .. import build, memory, services
from ..measures import Measure
from ..services import Service
from .contests import STREAM_BOUND, Replicas, Stream, Updates
from .loads import Loads, numbers
from .reading import Reading
from .stores import Engine, PostgreSQL, SQLite
from .work import Work, spread

ROUNDS, QUICK_ROUNDS = 5, 3
ROWS, QUICK_ROWS = 1_000_000, 200_000
UPDATES, QUICK_UPDATES = 100_000, 20_000
READING_SECONDS, QUICK_READING_SECONDS = 3.0, 1.0
STREAM_PEAK_BOUND_MIB = 80


@dataclass(frozen=True)
class Setting:
    """What the parts have in common."""

    inventory: Path
    loads: Loads
    sqlite: SQLite
    postgresql: PostgreSQL
    work: Work
    updates: int
    reading_seconds: float

    def stream(self, engine: Engine, replicas: int, work: Work | None = None, bound: float | None = STREAM_BOUND) -> Stream:
        return Stream(engine, self.inventory, self.loads, work or self.work, replicas, bound)

    def update(self, engine: Engine) -> Updates:
        return Updates(engine, self.inventory, self.loads, self.work, self.updates)

    def reading(self, engine: Engine) -> Reading:
        return Reading(engine, self.inventory, self.loads, self.work, self.reading_seconds)


PARTS = {
    "stream-sqlite": lambda setting: setting.stream(setting.sqlite, 1),
    "stream-postgresql": lambda setting: setting.stream(setting.postgresql, 2),
    # All rows of one key: replicas take turns.
    "stream-one-aggregate": lambda setting: setting.stream(setting.postgresql, 2, Work(1, setting.work.stored), None),
    "updates-sqlite": lambda setting: setting.update(setting.sqlite),
    "updates-postgresql": lambda setting: setting.update(setting.postgresql),
    "replicas": lambda setting: Replicas(setting.postgresql, setting.inventory, setting.loads, setting.work),
    "get-sqlite": lambda setting: setting.reading(setting.sqlite),
    "get-postgresql": lambda setting: setting.reading(setting.postgresql),
    "memory": lambda setting: Memory(setting.inventory, setting.loads, setting.work),
}


def run(quick: bool, rows: int | None = None, rounds: int | None = None, parts: list[str] | None = None) -> list[Measure]:
    """
    - rows: of the FULL.
    - parts: of PARTS, those that are measured; all unless it is said.
    """
    build.require_packages("postgresql")
    inventory, loads = build.swift_product("inventory"), Loads.build()
    with tempfile.TemporaryDirectory(prefix="stock-", dir=build.OUTPUT) as folder:
        directory = Path(folder)
        with PostgreSQL(inventory, directory) as postgresql:
            setting = Setting(
                inventory,
                loads,
                SQLite(inventory, directory),
                postgresql,
                work=spread(rows or (QUICK_ROWS if quick else ROWS)),
                updates=QUICK_UPDATES if quick else UPDATES,
                reading_seconds=QUICK_READING_SECONDS if quick else READING_SECONDS,
            )
            chosen = [make(setting) for name, make in PARTS.items() if not parts or name in parts]
            for number in range(rounds or (QUICK_ROUNDS if quick else ROUNDS)):
                for part in chosen if number % 2 == 0 else reversed(chosen):
                    part.round(number)
    measures = [measure for part in chosen for measure in part.measures()]
    # What has a bound comes first: it is what the reader wants to know.
    return sorted(measures, key=lambda measure: measure.bound is None)


class Memory:
    """Of a service at rest, and of inventory over a stream into an empty store."""

    def __init__(self, inventory: Path, loads: Loads, work: Work):
        self._programs = {name: build.swift_product(name) for name in services.NAMES}
        self._inventory, self._loads, self._work = inventory, loads, work
        self._idle: list[list[Measure]] = []
        self._peaks: list[float] = []

    def round(self, number: int) -> None:
        build.say(f"memory: round {number + 1}")
        self._idle.append(memory.idle_measures(self._programs, 1))
        with Service(self._inventory) as service:
            numbers(self._loads.stream_command(self._work, [service.target], "full"))
            # The kernel keeps the peak; it is read while the process is alive.
            self._peaks.append(service.server.memory_kib("VmHWM") / 1024)

    def measures(self) -> list[Measure]:
        idle = [
            Measure(of_rounds[0].name, [measure.median for measure in of_rounds], bound=of_rounds[0].bound)
            for of_rounds in zip(*self._idle)
        ]
        title = f"inventory, peak over a stream of {self._work.stored} rows: RSS, MiB"
        return [*idle, Measure(title, self._peaks, bound=STREAM_PEAK_BOUND_MIB)]
