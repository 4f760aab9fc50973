"""Instructions per call, one connection with one in flight: counted, so the same however busy the machine is."""

from pathlib import Path

from .. import callgrind, h2load
from ..measures import Measure
from ..processes import run_on
from .clients import CPP_CLIENT, MESSAGE_BYTES, OURS
from .contestants import ASYNCHRONOUS, FLOOR, SYNCHRONOUS, Contestant, Programs, Running, our_servers
from .forwarding import FORWARD

BOUNDS = {SYNCHRONOUS: 1.45, ASYNCHRONOUS: 2.0}

# h2load sends the same headers with every call: kind to whoever remembers what it has read before. The C client
# sends a request id and a trace of its own with each.
SAME = "instructions per call"
OWN = "instructions per call with metadata of its own"


def measures(programs: Programs, directory: Path, quick: bool) -> list[Measure]:
    servers = programs.servers[:3] if quick else programs.servers
    same = server_counts(servers, directory)
    own = server_counts(servers, directory, programs.ping)
    result = []
    for title, counts, is_bound in ((SAME, same, True), (OWN, own, False)):
        for name, bound in BOUNDS.items():
            ratio = counts[name] / counts[FLOOR]
            result.append(Measure(f"{title}, {name} / {FLOOR}", [ratio], bound=bound if is_bound else None))
        result += [Measure(f"{title}, {name}", [count]) for name, count in counts.items()]
    if not quick:
        clients = our_client(programs.ours) | {CPP_CLIENT: [str(programs.cpp_client)]}
        others = client_counts(clients, programs.floor_server, directory)
        others[FORWARD] = forward_count(programs.ours, directory)
        result += [Measure(f"{SAME}, {name}", [count]) for name, count in others.items()]
    return result


def server_counts(contestants: list[Contestant], directory: Path, ping: Path | None = None) -> dict[str, float]:
    """Under h2load, or under the program load-ping."""
    return {each.name: _server_count(each.name, list(each.command), each.path, directory, ping) for each in contestants}


def _server_count(name: str, command: list[str], path: str, directory: Path, ping: Path | None = None) -> float:
    def load(address: str, calls: int) -> float:
        if ping is None:
            h2load.load(address, path, calls, directory, clients=1, in_flight=1)
            return 1
        run_on(frozenset(), [ping, address, path, calls, MESSAGE_BYTES])
        return callgrind.WITH_WARM_UP

    return callgrind.server_instructions_per_call(name, command, directory, load)


def forward_count(program: Path, directory: Path) -> float:
    """Of our hop in front of our server."""
    server = our_servers(program)[0]
    with Running([server]) as running:
        command = [str(program), "forward", f"ipv4:{running.address(server)}"]
        return _server_count(FORWARD, command, server.path, directory)


def client_counts(clients: dict[str, list[str]], server: Contestant, directory: Path) -> dict[str, float]:
    """Of clients, by their names, that call `server`."""
    with Running([server]) as running:
        target = f"ipv4:{running.address(server)}"
        return {
            name: callgrind.client_instructions_per_call(
                name, command, lambda calls: [target, server.path, str(calls), "1", str(MESSAGE_BYTES)], directory
            )
            for name, command in clients.items()
        }


def our_client(program: Path) -> dict[str, list[str]]:
    return {OURS: [str(program), "call"]}
