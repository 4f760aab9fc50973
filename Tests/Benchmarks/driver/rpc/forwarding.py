"""What a hop like the gateway adds: its CPU per call that it passes on, against a server's per call."""

from pathlib import Path

from .. import build, h2load
from ..measures import Measure
from ..processes import Server, cores, free_port
from .contestants import ASYNCHRONOUS, SYNCHRONOUS, Programs, Running
from .ratios import Rounds, column, ratio

FORWARD_BOUND = 2.0
FORWARD = "forwarding"
IN_FLIGHT = 32


def measures(programs: Programs, rounds: int, requests: int, directory: Path) -> list[Measure]:
    cpu_us: Rounds = []
    with Running(programs.our_servers) as running:
        upstream = running.address(programs.our_servers[0])
        address = f"127.0.0.1:{free_port()}"
        command = [str(programs.ours), "forward", f"ipv4:{upstream}", address]
        with Server(command, address, cores()[0]) as hop:
            ways = [
                (FORWARD, hop, address, programs.our_servers[0].path),
                *((each.name, running.server(each), running.address(each), each.path) for each in programs.our_servers),
            ]
            for number in range(rounds + 1):
                build.say(f"forwarding: round {number} of {rounds}" if number else "forwarding: warm-up")
                row = {}
                for name, server, where, path in ways if number % 2 == 0 else ways[::-1]:
                    before = server.cpu_ns()
                    h2load.load(where, path, requests, directory, in_flight=IN_FLIGHT, cores=cores()[1])
                    row[name] = (server.cpu_ns() - before) / requests / 1000
                if number:
                    cpu_us.append(row)
    return [
        Measure(
            f"CPU added per call by {FORWARD} / server CPU of a direct call, {name}",
            ratio(cpu_us, FORWARD, name),
            bound=FORWARD_BOUND if name == ASYNCHRONOUS else None,
        )
        for name in (ASYNCHRONOUS, SYNCHRONOUS)
    ] + [Measure(f"CPU added per call by {FORWARD}: µs", column(cpu_us, FORWARD))]
