"""Calls made by our client and by that of gRPC C++."""

import json
from dataclasses import dataclass
from pathlib import Path

from .. import build
from ..measures import AT_LEAST, Measure
from ..processes import cores, run_on
from .contestants import ASYNCHRONOUS, CPP, SYNCHRONOUS, Contestant, Programs, Running
from .ratios import Rounds, best_cpp, column, ratio

PING_BOUNDS = {SYNCHRONOUS: 0.7, ASYNCHRONOUS: 0.8}
CLIENT_BOUND = 4.0
LARGE_BOUND = 1.5
MESSAGE_BYTES = 50
CLIENT_IN_FLIGHT = 256
LARGE_BYTES = 1 << 20
LARGE_IN_FLIGHT = 4
RAW = "raw socket"
OURS, CPP_CLIENT = "our client", "gRPC C++ client"


@dataclass(frozen=True)
class Run:
    """What a client reports of itself."""

    calls: int
    seconds: float
    cpu_seconds: float


def call(programs: Programs, contestant: Contestant, address: str, calls: int, in_flight: int, count: int) -> Run:
    """Runs the client that belongs to the server: ours, or that of gRPC C++."""
    return _run(programs, contestant.name in CPP, address, calls, in_flight, count, contestant.path)


def _run(
    programs: Programs, is_cpp: bool, address: str, calls: int, in_flight: int, count: int, path: str
) -> Run:
    command = [programs.cpp_client] if is_cpp else [programs.ours, "call"]
    target = address if address.startswith("unix:") else f"ipv4:{address}"
    output = run_on(cores()[1], [*command, target, path, calls, in_flight, count])
    return Run(**json.loads(output))


def ping_pong(programs: Programs, rounds: int, calls: int, directory: Path) -> list[Measure]:
    """One call in flight over a Unix socket: each server with its own client, and all with the same C client."""
    contestants = [*programs.our_servers, *programs.cpp_servers]
    pairs: Rounds = []
    same_client: Rounds = []
    with Running(contestants, sockets=directory) as running:
        for number in range(rounds):
            build.say(f"ping-pong: round {number + 1} of {rounds}")
            pair, same = {}, {}
            for contestant in running.in_turn(number):
                address = running.address(contestant)
                run = call(programs, contestant, address, calls, 1, MESSAGE_BYTES)
                pair[contestant.name] = run.seconds / run.calls * 1e6
                ping = [programs.ping, address, contestant.path, calls, MESSAGE_BYTES]
                same[contestant.name] = float(run_on(cores()[1], ping))
            raw = [programs.raw_ping, min(cores()[0]), calls, MESSAGE_BYTES]
            pair[RAW] = same[RAW] = float(run_on(cores()[1], raw))
            pairs.append(pair)
            same_client.append(same)
    result = []
    for title, rows, is_bound in (("own client", pairs, True), ("C client", same_client, False)):
        cpp = best_cpp(rows)
        for name, bound in PING_BOUNDS.items():
            measure = f"one in flight over Unix, {title}, mean: {name} / {cpp}"
            result.append(Measure(measure, ratio(rows, name, cpp), bound=bound if is_bound else None))
        for name in rows[0]:
            if name != RAW or is_bound:
                result.append(Measure(f"one in flight over Unix, {title}, mean, {name}: µs", column(rows, name)))
    return result


def throughput(programs: Programs, rounds: int, calls: int) -> list[Measure]:
    """Clients with 256 calls in flight, both against the C floor."""
    rates: Rounds = []
    cpu_us: Rounds = []
    floor = programs.floor_server
    with Running([floor]) as running:
        for number in range(rounds):
            build.say(f"clients: round {number + 1} of {rounds}")
            rate, cpu = {}, {}
            for name in [OURS, CPP_CLIENT] if number % 2 == 0 else [CPP_CLIENT, OURS]:
                address = running.address(floor)
                run = _run(programs, name == CPP_CLIENT, address, calls, CLIENT_IN_FLIGHT, MESSAGE_BYTES, floor.path)
                rate[name] = run.calls / run.seconds
                cpu[name] = run.cpu_seconds / run.calls * 1e6
            rates.append(rate)
            cpu_us.append(cpu)
    title = f"{CLIENT_IN_FLIGHT} in flight"
    result = [
        Measure(f"calls/s, {title}, {OURS} / {CPP_CLIENT}", ratio(rates, OURS, CPP_CLIENT), AT_LEAST, CLIENT_BOUND)
    ]
    for name in (OURS, CPP_CLIENT):
        result.append(Measure(f"calls/s, {title}, {name}", column(rates, name), AT_LEAST))
        result.append(Measure(f"client CPU per call, {title}, {name}: µs", column(cpu_us, name)))
    return result


def large_messages(programs: Programs, rounds: int, calls: int) -> list[Measure]:
    """1 MiB there and back, each server with its own client."""
    rates: Rounds = []
    with Running([*programs.our_servers, *programs.cpp_servers]) as running:
        for number in range(rounds):
            build.say(f"1 MiB messages: round {number + 1} of {rounds}")
            rate = {}
            for contestant in running.in_turn(number):
                run = call(
                    programs, contestant, running.address(contestant), calls, LARGE_IN_FLIGHT, LARGE_BYTES
                )
                rate[contestant.name] = run.calls * LARGE_BYTES / run.seconds / 1e6
            rates.append(rate)
    cpp = best_cpp(rates, least_is_best=False)
    result = [
        Measure(f"1 MiB unary, {name} / {cpp}", ratio(rates, name, cpp), AT_LEAST, LARGE_BOUND)
        for name in (SYNCHRONOUS, ASYNCHRONOUS)
    ]
    for name in rates[0]:
        result.append(Measure(f"1 MiB unary, {name}: MB/s each way", column(rates, name), AT_LEAST))
    return result
