"""Stock into the store, against C loops that write the same rows into the same store; and memory."""

import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from . import build, memory, services, store_source
from .failure import Failure
from .measures import AT_LEAST, Measure

STREAM_BOUND = 0.7
UPDATES_BOUND = 0.6
STREAM_PEAK_BOUND_MIB = 80
STREAM_ROWS = 200_000
MEMORY_ROWS = 1_000_000
IN_FLIGHT = 32
# As in load/rows.h.
UPDATED_SKUS = 10_000
RUN_LIMIT_SECONDS = 120


@dataclass(frozen=True)
class Contest:
    """The same work done by the service, under a load program, and by a bare loop."""

    name: str
    unit: str
    bound: float
    load: Path
    loop: Path
    # Of both programs, after what says where the store is.
    arguments: list[str]
    # What the store has to hold afterwards.
    rows: int


def run(quick: bool) -> list[Measure]:
    build.require_packages()
    programs = {name: build.swift_product(name) for name in services.NAMES}
    inventory = programs["inventory"]
    stream_load, stream_loop = _programs("stream")
    updates_load, updates_loop = _programs("updates")
    updates = 40_000 if quick else 100_000
    contests = [
        Contest(
            f"StreamStockSnapshots of {STREAM_ROWS} rows",
            "rows/s",
            STREAM_BOUND,
            stream_load,
            stream_loop,
            [str(STREAM_ROWS)],
            STREAM_ROWS,
        ),
        Contest(
            f"{IN_FLIGHT} concurrent single-row updates",
            "updates/s",
            UPDATES_BOUND,
            updates_load,
            updates_loop,
            [str(IN_FLIGHT), str(updates)],
            UPDATED_SKUS,
        ),
    ]
    with tempfile.TemporaryDirectory(prefix="loops-", dir=build.OUTPUT) as directory:
        loops = Loops(inventory, Path(directory))
        measures = [
            measure for contest in contests for measure in _held(contest, inventory, loops, 3 if quick else 9)
        ]
    measures += memory.idle_measures(programs, 1 if quick else 3)
    measures.append(_stream_peak(inventory, stream_load, 1 if quick else 3))
    return measures


def _programs(name: str) -> tuple[Path, Path]:
    load, store = build.HERE / "load", build.HERE / "store"
    return (
        build.c_program(f"load-{name}", [*sorted(load.glob("*.c")), load / "programs" / f"{name}.c"], ["libnghttp2"]),
        build.c_program(f"store-{name}", [*sorted(store.glob("*.c")), store / "programs" / f"{name}.c"], ["sqlite3"]),
    )


def _held(contest: Contest, inventory: Path, loops: "Loops", rounds: int) -> list[Measure]:
    service_rates, loop_rates = [], []
    for number in range(rounds):
        build.say(f"{contest.name}: round {number + 1} of {rounds}")
        service_rates.append(_service_rate(contest, inventory))
        loop_rates.append(loops.rate(contest))
    ratios = [service / loop for service, loop in zip(service_rates, loop_rates)]
    return [
        Measure(f"{contest.name}: {contest.unit} / bare loop", ratios, AT_LEAST, contest.bound),
        Measure(f"{contest.name}: {contest.unit}", service_rates, AT_LEAST),
        Measure(f"{contest.name}: {contest.unit} of the bare loop", loop_rates, AT_LEAST),
    ]


def _service_rate(contest: Contest, inventory: Path) -> float:
    with services.Service(inventory) as service:
        rate = _rate([contest.load, service.target, *contest.arguments])
        _check_store(service.store, contest)
    return rate


class Loops:
    """Runs the bare loops, each time on a fresh copy of a store that the service has made."""

    def __init__(self, inventory: Path, directory: Path):
        self._directory = directory
        self._fresh = directory / "fresh"
        self._pragmas = directory / "pragmas.sql"
        self._upsert = directory / "upsert.sql"
        self._checkpoint_pages = store_source.checkpoint_pages()
        self._pragmas.write_text(store_source.pragmas())
        self._upsert.write_text(store_source.upsert())
        with services.Service(inventory) as service:
            service.server.stop()
            shutil.copytree(service.data, self._fresh)

    def rate(self, contest: Contest) -> float:
        copy = self._directory / "store"
        shutil.copytree(self._fresh, copy)
        try:
            store = copy / services.STORE_FILE
            where = [store, self._pragmas, self._checkpoint_pages, self._upsert]
            rate = _rate([contest.loop, *where, *contest.arguments])
            _check_store(store, contest)
        finally:
            shutil.rmtree(copy)
        return rate


def _rate(command: list) -> float:
    """Runs a program that prints one number and returns it."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=RUN_LIMIT_SECONDS)
    if done.returncode != 0:
        raise Failure(f"{Path(command[0]).name} failed with exit code {done.returncode}: {done.stderr.strip()}")
    return float(done.stdout)


def _check_store(store: Path, contest: Contest) -> None:
    """A rate counts only if the rows are there."""
    with closing(sqlite3.connect(store)) as connection:
        (rows,) = connection.execute(f"SELECT count(*) FROM {store_source.TABLE}").fetchone()
    if rows != contest.rows:
        raise Failure(f"{contest.name}: the store holds {rows} rows instead of {contest.rows}")


def _stream_peak(inventory: Path, load: Path, runs: int) -> Measure:
    peaks = []
    for _ in range(runs):
        build.say(f"memory: {MEMORY_ROWS} rows")
        with services.Service(inventory) as service:
            _rate([load, service.target, MEMORY_ROWS])
            # The kernel keeps the peak; it is read while the process is alive.
            peaks.append(service.server.memory_kib("VmHWM") / 1024)
    return Measure(
        f"inventory, peak over a stream of {MEMORY_ROWS} rows: RSS, MiB", peaks, bound=STREAM_PEAK_BOUND_MIB
    )
