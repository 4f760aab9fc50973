"""What a call costs a server that has enough to do: 8 connections with 32 calls in flight on each."""

from dataclasses import dataclass
from pathlib import Path

from .. import build, h2load
from ..measures import AT_LEAST, Measure
from ..processes import cores
from .contestants import ASYNCHRONOUS, SYNCHRONOUS, Contestant, Programs, Running
from .ratios import Rounds, best_cpp, column, ratio

# How many times the CPU of ours gRPC C++ takes, at least.
SYNCHRONOUS_BOUND = 5.0
ASYNCHRONOUS_BOUND = 4.0
# Turns of each server within a round.
SLICES = 4


@dataclass(frozen=True)
class Samples:
    """CPU microseconds per call, and calls per second, of all contestants."""

    cpu_us: Rounds
    rates: Rounds


def measures(programs: Programs, rounds: int, requests: int, directory: Path) -> list[Measure]:
    samples = sample("servers", programs.servers, rounds, requests, directory)
    cpp = best_cpp(samples.cpu_us)
    bounds = [(SYNCHRONOUS, SYNCHRONOUS_BOUND), (ASYNCHRONOUS, ASYNCHRONOUS_BOUND)]
    result = [
        Measure(f"server CPU per call, {cpp} / {name}", ratio(samples.cpu_us, cpp, name), AT_LEAST, bound)
        for name, bound in bounds
    ]
    for name in samples.cpu_us[0]:
        result.append(Measure(f"server CPU per call, {name}: µs", column(samples.cpu_us, name)))
    for name in samples.rates[0]:
        result.append(Measure(f"calls/s, h2load on the other core, {name}", column(samples.rates, name), AT_LEAST))
    return result


def sample(
    title: str, contestants: list[Contestant], rounds: int, requests: int, directory: Path, scheme: str = "http"
) -> Samples:
    samples = Samples([], [])
    with Running(contestants) as running:
        for contestant in contestants:
            _load(running, contestant, requests // 4, directory, scheme)  # warms it up
        for number in range(rounds):
            build.say(f"{title}: round {number + 1} of {rounds}")
            cpu_us = {contestant.name: 0.0 for contestant in contestants}
            rates = dict(cpu_us)
            for turn in range(SLICES):
                for contestant in running.in_turn(turn):
                    server = running.server(contestant)
                    before = server.cpu_ns()
                    loaded = _load(running, contestant, requests // SLICES, directory, scheme)
                    used_us = (server.cpu_ns() - before) / 1000
                    cpu_us[contestant.name] += used_us / (requests // SLICES) / SLICES
                    rates[contestant.name] += loaded.requests_per_second / SLICES
            samples.cpu_us.append(cpu_us)
            samples.rates.append(rates)
    return samples


def _load(running: Running, contestant: Contestant, requests: int, directory: Path, scheme: str) -> h2load.Result:
    return h2load.load(
        running.address(contestant), contestant.path, requests, directory, cores=cores()[1], scheme=scheme
    )
