"""Where the time of a stream on PostgreSQL goes: who computes, and what the writers wait for."""

import os
import resource
import subprocess
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ..failure import Failure
from ..processes import Server
from .stores import PostgreSQL

SAMPLE_SECONDS = 0.05
STOP_LIMIT_SECONDS = 10

# Of a writer's connection at a moment, in the order in which they are told.
COMPUTING, KEY, OTHER_LOCK, DISK, REPLICA = (
    "the server computes",
    "for a key's lock",
    "for another lock",
    "for the disk",
    "for the replica",
)
# A connection between two transactions, a reader's at rest among them, is idle and not sampled.
SAMPLE = """
SELECT coalesce(wait_event_type, '') || '.' || coalesce(wait_event, '') FROM pg_stat_activity
WHERE application_name LIKE 'oms-connector/%' AND state <> 'idle' AND backend_type = 'client backend'
UNION ALL SELECT 'sample'
"""


def kind(wait: str) -> str:
    """What a wait event, TYPE.NAME as pg_stat_activity has it, says."""
    type_name, _, event = wait.partition(".")
    if not type_name:
        return COMPUTING
    if type_name == "Client":
        return REPLICA
    if type_name == "IO" or event in ("WALWrite", "WALSync"):
        return DISK
    return KEY if wait == "Lock.advisory" else OTHER_LOCK


@dataclass(frozen=True)
class Where:
    rows: int
    seconds: float
    cpu_seconds: dict[str, float]
    # Of the writers' time.
    shares: dict[str, float]

    def parts(self) -> dict[str, float]:
        """By what is told of it, which ends with the unit."""
        cores = len(os.sched_getaffinity(0)) * self.seconds
        parts = {f"CPU of {name}, µs a row": used / self.rows * 1e6 for name, used in self.cpu_seconds.items()}
        parts["cores that none of these uses, %"] = max(0.0, 100 * (1 - sum(self.cpu_seconds.values()) / cores))
        return parts | {f"writers' time, {name}, %": 100 * share for name, share in self.shares.items()}


class Watch:
    """Looks on while the stream runs; a context manager."""

    def __init__(self, engine: PostgreSQL, url: str, replicas: list[Server]):
        self._engine, self._url, self._replicas = engine, url, replicas

    def __enter__(self) -> "Watch":
        self._sampler = subprocess.Popen(
            ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", self._url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._sampler.stdin.write(f"{SAMPLE.strip()} \\watch {SAMPLE_SECONDS}\n")
        self._sampler.stdin.close()
        self._before, self._start = self._cpu_seconds(), time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self._seconds = time.monotonic() - self._start
        after = self._cpu_seconds()
        self._used = {name: after[name] - self._before[name] for name in after}
        self._sampler.terminate()
        self._lines = self._sampler.stdout.read().splitlines()
        self._sampler.stdout.close()
        self._sampler.wait(STOP_LIMIT_SECONDS)

    def where(self, rows: int) -> Where:
        return Where(rows, self._seconds, self._used, shares(self._lines, len(self._replicas)))

    def _cpu_seconds(self) -> dict[str, float]:
        load = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {
            "the replicas": sum(replica.cpu_ns() for replica in self._replicas) / 1e9,
            "PostgreSQL": tree_cpu_seconds(self._engine.pid),
            # The load program has ended when it is asked for the second time, psql has not.
            "the load": load.ru_utime + load.ru_stime,
        }


def shares(lines: list[str], writers: int) -> dict[str, float]:
    """Of all samples of all writers; one whose connection is idle has its replica at work, or nothing to do."""
    counts = Counter(kind(line) for line in lines if line and line != "sample")
    samples = writers * lines.count("sample")
    if samples == 0:
        raise Failure("psql has sampled nothing; is it PostgreSQL's own?")
    result = {name: counts[name] / samples for name in (COMPUTING, KEY, OTHER_LOCK, DISK)}
    return result | {REPLICA: max(0.0, 1 - sum(result.values()))}


def tree_cpu_seconds(pid: int) -> float:
    """Of a process, its children, and those that it has waited for."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name before it may hold blanks and brackets.
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        is_root = stat.parent.name == str(pid)
        if is_root or fields[1] == str(pid):
            # proc(5): utime and stime are fields 14 and 15, those of children that were waited for 16 and 17.
            ticks += sum(int(value) for value in fields[11 : 15 if is_root else 13])
    return ticks / os.sysconf("SC_CLK_TCK")
