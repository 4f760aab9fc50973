"""Unary echo: what a call costs a server on Shared/RPC, against a C server on the same nghttp2 and epoll."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import build, callgrind, h2load
from .measures import Measure
from .processes import Server, cores, free_port

SYNCHRONOUS_BOUND = 1.4
ASYNCHRONOUS_BOUND = 1.9
# Turns of each server within a round.
SLICES = 4


@dataclass(frozen=True)
class Target:
    """A server and the method that is called on it."""

    name: str
    program: Path
    path: str


def run(quick: bool) -> list[Measure]:
    build.require_packages("nghttp2-client")
    floor = build.c_program("floor-echo", sorted((build.HERE / "floor").glob("*.c")), ["libnghttp2"])
    echo = build.swift_product("benchmark-echo")
    targets = [
        Target("floor", floor, "/benchmark.Echo/Synchronous"),
        Target("synchronous", echo, "/benchmark.Echo/Synchronous"),
        Target("asynchronous", echo, "/benchmark.Echo/Asynchronous"),
    ]
    with tempfile.TemporaryDirectory() as directory:
        rounds, rates = _cpu_rounds(targets, 5 if quick else 11, 120_000 if quick else 400_000, Path(directory))
        measures = _cpu_measures(targets, rounds)
        measures += [Measure(f"{target.name}: calls/s, h2load as the limit", rates[target.name]) for target in targets]
        if not quick and callgrind.is_available():
            measures += callgrind.instruction_measures(targets, Path(directory))
    return measures


def _cpu_rounds(
    targets: list[Target], rounds: int, requests: int, directory: Path
) -> tuple[list[dict[str, float]], dict[str, list[float]]]:
    """CPU microseconds per call, for each round and target; and the calls per second."""
    server_cores, load_cores = cores()
    results: list[dict[str, float]] = []
    rates: dict[str, list[float]] = {target.name: [] for target in targets}
    servers: dict[str, tuple[Server, str]] = {}
    try:
        for target in targets:
            address = f"127.0.0.1:{free_port()}"
            servers[target.name] = Server([str(target.program), address], address, server_cores), address
            h2load.load(address, target.path, requests // 4, directory, cores=load_cores)  # warms it up
        for number in range(rounds):
            build.say(f"round {number + 1} of {rounds}")
            cpu_ns = dict.fromkeys(servers, 0)
            rate = dict.fromkeys(servers, 0.0)
            # In slices, and backwards every other time: what slows the machine for a while slows all of them.
            for turn in range(SLICES):
                for target in targets if turn % 2 == 0 else reversed(targets):
                    server, address = servers[target.name]
                    before = server.cpu_ns()
                    loaded = h2load.load(address, target.path, requests // SLICES, directory, cores=load_cores)
                    cpu_ns[target.name] += server.cpu_ns() - before
                    rate[target.name] += loaded.requests_per_second / SLICES
            results.append({name: total / requests / 1000 for name, total in cpu_ns.items()})
            for name in servers:
                rates[name].append(rate[name])
    finally:
        for server, _ in servers.values():
            server.stop()
    return results, rates


def _cpu_measures(targets: list[Target], rounds: list[dict[str, float]]) -> list[Measure]:
    def ratio(name: str) -> list[float]:
        return [result[name] / result["floor"] for result in rounds]

    return [
        Measure("synchronous: server CPU per call / floor", ratio("synchronous"), bound=SYNCHRONOUS_BOUND),
        Measure("asynchronous: server CPU per call / floor", ratio("asynchronous"), bound=ASYNCHRONOUS_BOUND),
        *[
            Measure(f"{target.name}: server CPU per call, µs", [result[target.name] for result in rounds])
            for target in targets
        ],
    ]
