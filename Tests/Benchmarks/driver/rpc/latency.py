"""How long a call takes at 8 connections with 4 calls in flight on each."""

from pathlib import Path

from .. import build, h2load
from ..measures import Measure
from ..processes import cores
from .contestants import ASYNCHRONOUS, FLOOR, SYNCHRONOUS, Programs, Running
from .ratios import Rounds, best_cpp, column, ratio

P99_BOUND = 0.2
CLIENTS, IN_FLIGHT = 8, 4


def measures(programs: Programs, rounds: int, requests: int, directory: Path) -> list[Measure]:
    p50, p99 = _sample(programs, rounds, requests, directory)
    cpp = best_cpp(p99)
    result = [
        Measure(f"p99 at {CLIENTS} × {IN_FLIGHT}, {name} / {cpp}", ratio(p99, name, cpp), bound=P99_BOUND)
        for name in (SYNCHRONOUS, ASYNCHRONOUS)
    ]
    for title, rows in (("p50", p50), ("p99", p99)):
        for name in rows[0]:
            result.append(Measure(f"{title} at {CLIENTS} × {IN_FLIGHT}, {name}: µs", column(rows, name)))
    result.append(Measure(f"p99 at {CLIENTS} × {IN_FLIGHT}, {SYNCHRONOUS} / {FLOOR}", ratio(p99, SYNCHRONOUS, FLOOR)))
    return result


def _sample(programs: Programs, rounds: int, requests: int, directory: Path) -> tuple[Rounds, Rounds]:
    p50: Rounds = []
    p99: Rounds = []
    with Running(programs.servers) as running:
        for number in range(rounds + 1):
            build.say(f"latency: round {number} of {rounds}" if number else "latency: warm-up")
            halves, hundredths = {}, {}
            for contestant in running.in_turn(number):
                times = h2load.times_us(
                    running.address(contestant),
                    contestant.path,
                    requests,
                    directory,
                    clients=CLIENTS,
                    in_flight=IN_FLIGHT,
                    cores=cores()[1],
                )
                halves[contestant.name] = times[len(times) // 2]
                hundredths[contestant.name] = times[len(times) * 99 // 100]
            if number:
                p50.append(halves)
                p99.append(hundredths)
    return p50, p99
