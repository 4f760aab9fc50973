"""GetStock while a FULL is written, against the same on a store at rest."""

import subprocess
from pathlib import Path

from .. import build
from ..failure import Failure
from ..measures import AT_LEAST, Measure
from ..services import Service
from .loads import IN_FLIGHT, RUN_LIMIT_SECONDS, Loads, numbers
from .stores import Engine
from .work import Work

BOUND = 3.0
STATES = IDLE, WRITING = "store at rest", "a FULL is running"


class Reading:
    def __init__(self, engine: Engine, inventory: Path, loads: Loads, work: Work, seconds: float):
        self._engine, self._inventory, self._loads, self._work = engine, inventory, loads, work
        self._seconds = seconds
        # Of each round: median and 99th percentile in µs, and calls per second.
        self._taken: dict[str, list[list[float]]] = {state: [] for state in STATES}

    def round(self, number: int) -> None:
        build.say(f"GetStock, {self._engine.name}: round {number + 1}")
        with self._engine.copy(self._work) as store, Service(self._inventory, store.url) as service:
            self._taken[IDLE].append(self._read(service.target))
            self._taken[WRITING].append(self._read_while_writing(service.target))

    def _read(self, target: str) -> list[float]:
        return numbers([self._loads.gets, target, *self._work.arguments, IN_FLIGHT, self._seconds])

    def _read_while_writing(self, target: str) -> list[float]:
        command = self._loads.stream_command(self._work, [target], "full")
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as writing:
            try:
                # Until then it encodes.
                if (line := writing.stderr.readline()) != "started\n":
                    raise Failure(f"the FULL did not start: {line.strip()}")
                taken = self._read(target)
                has_ended = writing.poll() is not None
                _, errors = writing.communicate(timeout=RUN_LIMIT_SECONDS)
            except BaseException:
                writing.kill()
                raise
        if writing.returncode != 0:
            raise Failure(f"the FULL failed: {errors.strip()[-2000:]}")
        if has_ended:
            raise Failure(f"the FULL was over within the {self._seconds} s of GetStock; give it more --rows")
        return taken

    def measures(self) -> list[Measure]:
        title = f"GetStock, {IN_FLIGHT} in flight, {self._engine.name}"
        ratios = [writing[1] / idle[1] for writing, idle in zip(self._taken[WRITING], self._taken[IDLE])]
        result = [Measure(f"{title}: p99 while a FULL is running / at rest", ratios, bound=BOUND)]
        for state in STATES:
            taken = self._taken[state]
            result.append(Measure(f"{title}, {state}: p99, ms", [each[1] / 1000 for each in taken]))
            result.append(Measure(f"{title}, {state}: median, ms", [each[0] / 1000 for each in taken]))
            result.append(Measure(f"{title}, {state}: calls/s", [each[2] for each in taken], AT_LEAST))
        return result
