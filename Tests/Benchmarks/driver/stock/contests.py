"""The same work done by the service, under a load program, and by a bare loop."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from .. import build
from ..failure import Failure
from ..measures import AT_LEAST, Measure
from ..services import Service
from .loads import IN_FLIGHT, Loads, numbers
from .outcome import check_history, check_updates, stale_overwrites
from .stores import Engine, PostgreSQL, Store
from .where import Watch, Where
from .work import Work

STREAM_BOUND = 0.8
UPDATES_BOUND = 0.7


class Contest:
    """Rounds of the service and of the bare loop, each time on a fresh copy of the store."""

    def __init__(self, title: str, unit: str, bound: float | None):
        self._title, self._unit, self._bound = title, unit, bound
        self._service: list[float] = []
        self._bare: list[float] = []

    def round(self, number: int) -> None:
        build.say(f"{self._title}: round {number + 1}")
        turns = [(self._service, self._service_rate), (self._bare, self._bare_rate)]
        # The other way round every other time: what slows the machine down for a while hits both alike.
        for rates, rate in turns if number % 2 == 0 else reversed(turns):
            rates.append(rate())

    def measures(self) -> list[Measure]:
        ratios = [service / bare for service, bare in zip(self._service, self._bare)]
        return [
            Measure(f"{self._title}: {self._unit} / bare loop", ratios, AT_LEAST, self._bound),
            Measure(f"{self._title}: {self._unit}", self._service, AT_LEAST),
            Measure(f"{self._title}: {self._unit} of the bare loop", self._bare, AT_LEAST),
        ]

    def _service_rate(self) -> float:
        raise NotImplementedError

    def _bare_rate(self) -> float:
        raise NotImplementedError


class Stream(Contest):
    """FULLs with concurrent DELTAs."""

    def __init__(self, engine: Engine, inventory: Path, loads: Loads, work: Work, replicas: int, bound: float | None):
        of_replicas = f", {replicas} replicas" if isinstance(engine, PostgreSQL) else ""
        aggregates = f"{work.aggregates} aggregate" + ("s" if work.aggregates > 1 else "")
        title = f"stream of {work.stored} rows of {aggregates} with DELTAs, {engine.name}{of_replicas}"
        super().__init__(title, "rows/s", bound)
        self._engine, self._inventory, self._loads, self._work = engine, inventory, loads, work
        self._replicas = replicas
        self._stale_overwrites: list[float] = []
        self._stale_rows: list[float] = []
        # Of the bare loop that writes as the service does: all rows of a message in a statement.
        self._together: list[float] = []

    def measures(self) -> list[Measure]:
        return [
            *super().measures(),
            *self._together_measures(),
            Measure(f"{self._title}: stale overwrites", self._stale_overwrites, bound=0),
            Measure(f"{self._title}: rows told to be stale", self._stale_rows),
        ]

    def _together_measures(self) -> list[Measure]:
        if not self._together:
            return []
        ratios = [service / bare for service, bare in zip(self._service, self._together)]
        return [
            Measure(f"{self._title}: rows/s / bare loop, a statement a message", ratios, AT_LEAST),
            Measure(f"{self._title}: rows/s of the bare loop, a statement a message", self._together, AT_LEAST),
        ]

    def _service_rate(self) -> float:
        with self._engine.copy(self._work) as store:
            with services(self._inventory, store, self._replicas) as targets:
                rate, stale = numbers(self._loads.stream_command(self._work, targets))
            self._stale_rows.append(stale)
            self._stale_overwrites.append(stale_overwrites(store, self._work))
            check_history(store, self._work)
        return rate

    def _bare_rate(self) -> float:
        if not isinstance(self._engine, PostgreSQL):
            return self._bare_stream()
        self._together.append(self._bare_stream(str(self._replicas), "together"))
        return self._bare_stream(str(self._replicas), "each")

    def _bare_stream(self, *arguments: str) -> float:
        with self._engine.copy(self._work) as store:
            rate, _ = numbers([self._engine.bare("stream"), *store.arguments, *self._work.arguments, *arguments])
            check_history(store, self._work)
            if wrong := stale_overwrites(store, self._work):
                raise Failure(f"the bare loop has written {wrong} rows that it should not have")
        return rate


class Updates(Contest):
    """Single-row updates, many at the same time."""

    def __init__(self, engine: Engine, inventory: Path, loads: Loads, work: Work, updates: int):
        super().__init__(f"{IN_FLIGHT} concurrent single-row updates, {engine.name}", "updates/s", UPDATES_BOUND)
        self._engine, self._inventory, self._loads, self._work = engine, inventory, loads, work
        self._updates = updates

    def _service_rate(self) -> float:
        with self._engine.copy(self._work) as store:
            with services(self._inventory, store, 1) as (target,):
                (rate,) = numbers([self._loads.updates, target, IN_FLIGHT, self._updates])
            check_updates(store, self._updates)
        return rate

    def _bare_rate(self) -> float:
        with self._engine.copy(self._work) as store:
            (rate,) = numbers([self._engine.bare("updates"), *store.arguments, IN_FLIGHT, self._updates])
            check_updates(store, self._updates)
        return rate


@dataclass
class Replicas:
    """The stream on PostgreSQL with one, two and four replicas, and where the time goes."""

    engine: PostgreSQL
    inventory: Path
    loads: Loads
    work: Work
    counts: tuple[int, ...] = (1, 2, 4)
    _rates: dict[int, list[float]] = field(default_factory=dict)
    _where: dict[int, list[Where]] = field(default_factory=dict)

    def round(self, number: int) -> None:
        for count in self.counts if number % 2 == 0 else reversed(self.counts):
            build.say(f"{count} replicas: round {number + 1}")
            with self.engine.copy(self.work) as store, ExitStack() as stack:
                running = [stack.enter_context(Service(self.inventory, store.url)) for _ in range(count)]
                with Watch(self.engine, store.url, [service.server for service in running]) as watch:
                    rate, _ = numbers(self.loads.stream_command(self.work, [service.target for service in running]))
                self._rates.setdefault(count, []).append(rate)
                self._where.setdefault(count, []).append(watch.where(self.work.rows))

    def measures(self) -> list[Measure]:
        result = []
        for count in self.counts:
            title = f"stream with DELTAs, PostgreSQL, {count} replica" + ("s" if count > 1 else "")
            result.append(Measure(f"{title}: rows/s", self._rates[count], AT_LEAST))
            parts = [where.parts() for where in self._where[count]]
            result += [Measure(f"{title}: {name}", [part[name] for part in parts]) for name in parts[0]]
        return result


class services:  # noqa: N801 – reads as what it gives
    """Replicas on one store; a context manager that gives their targets."""

    def __init__(self, inventory: Path, store: Store, count: int):
        self._inventory, self._url, self._count = inventory, store.url, count
        self._stack = ExitStack()

    def __enter__(self) -> list[str]:
        with ExitStack() as starting:
            running = [starting.enter_context(Service(self._inventory, self._url)) for _ in range(self._count)]
            self._stack = starting.pop_all()
        return [service.target for service in running]

    def __exit__(self, *_: object) -> None:
        self._stack.close()
