"""Callbacks into the durable journal, against a bare C program that makes one group-committed insert per request."""

import shutil
import sqlite3
import statistics
import tempfile
from contextlib import closing
from pathlib import Path

from .. import build, store_source
from ..failure import Failure
from ..measures import AT_LEAST, Measure
from ..processes import Server, free_port
from .programs import CONNECTIONS, Programs
from .site import Site

BOUND = 0.5
# Who moves the bytes in the bare program: its own loop over libmicrohttpd's epoll, libmicrohttpd's pool of threads, or a
# thread for each connection. The best of them, by its median, is what the gateway has to stand against.
BARE_MODES = ["external", "pool", "connections"]
GATEWAY, WITH_INVENTORY = "gateway", "gateway that delivers as well"
DRAIN_LIMIT_SECONDS = 300


def measures(programs: Programs, rounds: int, messages: int) -> list[Measure]:
    """Every contestant begins each round with an empty store."""
    rates: list[dict[str, float]] = []
    cpu_us: list[dict[str, float]] = []
    ways = [_Gateway(programs, GATEWAY), *(_Bare(programs, mode) for mode in BARE_MODES)]
    ways.append(_Gateway(programs, WITH_INVENTORY))
    for number in range(rounds):
        build.say(f"callbacks: round {number + 1} of {rounds}")
        rate, cpu = {}, {}
        # Backwards every other round: what slows the machine down for a while hits all of them alike.
        for way in ways if number % 2 == 0 else ways[::-1]:
            rate[way.name], cpu[way.name] = way.measure(messages)
        rates.append(rate)
        cpu_us.append(cpu)
    best = max(BARE_MODES, key=lambda mode: statistics.median(each[mode] for each in rates))
    ratios = [each[GATEWAY] / each[best] for each in rates]
    title = f"callbacks, {CONNECTIONS} connections"
    result = [Measure(f"{title}: {GATEWAY} / bare C ({best})", ratios, AT_LEAST, BOUND)]
    for way in ways:
        name = f"bare C, {way.name}" if way.name in BARE_MODES else way.name
        result.append(Measure(f"{title}, {name}: messages/s", [each[way.name] for each in rates], AT_LEAST))
        result.append(Measure(f"{title}, {name}: CPU per message, µs", [each[way.name] for each in cpu_us]))
    return result


class _Gateway:
    """The gateway; inventory runs beside it, or else the messages stay in the journal."""

    def __init__(self, programs: Programs, name: str):
        self.name = name
        self._programs = programs

    def measure(self, messages: int) -> tuple[float, float]:
        with Site(self._programs) as site:
            if self.name == WITH_INVENTORY:
                site.start("inventory")
            site.start("gateway")
            before = site.gateway.cpu_ns()
            rate = self._programs.deliver(site.callback, 0, messages)
            cpu_us = (site.gateway.cpu_ns() - before) / 1000 / messages
            _check(site.count(), messages, "the journal")
            if self.name == WITH_INVENTORY:
                site.wait_until_drained(DRAIN_LIMIT_SECONDS)
        return rate, cpu_us


class _Bare:
    """The bare program, with the product's pragmas."""

    def __init__(self, programs: Programs, mode: str):
        self.name = mode
        self._programs = programs

    def measure(self, messages: int) -> tuple[float, float]:
        folder = Path(tempfile.mkdtemp(prefix="bare-", dir=build.OUTPUT))
        try:
            store, pragmas = folder / "store", folder / "pragmas.sql"
            pragmas.write_text(store_source.pragmas())
            address = f"127.0.0.1:{free_port()}"
            command = [self._programs.bare, store, pragmas, store_source.checkpoint_pages(), self.name, address]
            with Server([str(part) for part in command], address) as server:
                before = server.cpu_ns()
                rate = self._programs.deliver(address, 0, messages)
                cpu_us = (server.cpu_ns() - before) / 1000 / messages
            with closing(sqlite3.connect(store)) as connection:
                _check(connection.execute("SELECT count(*) FROM journal").fetchone()[0], messages, "the bare journal")
        finally:
            shutil.rmtree(folder)
        return rate, cpu_us


def _check(rows: int, messages: int, where: str) -> None:
    """A rate counts only if the messages are there."""
    if rows != messages:
        raise Failure(f"{where} holds {rows} messages instead of {messages}")
