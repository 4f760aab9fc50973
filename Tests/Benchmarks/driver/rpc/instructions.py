"""Instructions per call, one connection with one in flight: counted, so the same however busy the machine is."""

from pathlib import Path

from .. import callgrind
from ..measures import Measure
from .clients import CPP_CLIENT, MESSAGE_BYTES, OURS
from .contestants import ASYNCHRONOUS, FLOOR, SYNCHRONOUS, Contestant, Programs, Running
from .forwarding import FORWARD

BOUNDS = {SYNCHRONOUS: 1.45, ASYNCHRONOUS: 2.0}


def measures(programs: Programs, directory: Path, quick: bool) -> list[Measure]:
    counts = server_counts(programs.servers[:3] if quick else programs.servers, directory)
    result = [
        Measure(f"instructions per call, {name} / {FLOOR}", [counts[name] / counts[FLOOR]], bound=bound)
        for name, bound in BOUNDS.items()
    ]
    if not quick:
        counts |= _forward_count(programs, directory) | _client_counts(programs, directory)
    return result + [Measure(f"instructions per call, {name}", [count]) for name, count in counts.items()]


def server_counts(contestants: list[Contestant], directory: Path) -> dict[str, float]:
    return {
        contestant.name: callgrind.server_instructions_per_call(
            contestant.name, list(contestant.command), contestant.path, directory
        )
        for contestant in contestants
    }


def _forward_count(programs: Programs, directory: Path) -> dict[str, float]:
    server = programs.our_servers[0]
    with Running([server]) as running:
        command = [str(programs.ours), "forward", f"ipv4:{running.address(server)}"]
        return {FORWARD: callgrind.server_instructions_per_call(FORWARD, command, server.path, directory)}


def _client_counts(programs: Programs, directory: Path) -> dict[str, float]:
    floor = programs.floor_server
    with Running([floor]) as running:
        target = f"ipv4:{running.address(floor)}"
        clients = {OURS: [str(programs.ours), "call"], CPP_CLIENT: [str(programs.cpp_client)]}
        return {
            name: callgrind.client_instructions_per_call(
                name, command, lambda calls: [target, floor.path, str(calls), "1", str(MESSAGE_BYTES)], directory
            )
            for name, command in clients.items()
        }
