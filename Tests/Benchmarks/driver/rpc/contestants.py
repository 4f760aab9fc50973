"""Who takes part: the programs, and how each is started."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from .. import build
from ..processes import Server, cores, free_port

SYNCHRONOUS_PATH = "/benchmark.Echo/Synchronous"
ASYNCHRONOUS_PATH = "/benchmark.Echo/Asynchronous"

FLOOR = "floor"
SYNCHRONOUS = "synchronous"
ASYNCHRONOUS = "asynchronous"
# gRPC C++ has two ways to serve; a ratio takes the one that does better at the measure in question.
CPP = ["gRPC C++, callbacks", "gRPC C++, completion queue"]


@dataclass(frozen=True)
class Contestant:
    """A server, and the method that is called on it. It is started with `command`, an address, and `options`."""

    name: str
    command: tuple[str, ...]
    path: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Programs:
    ours: Path
    floor: Path
    cpp_server: Path
    cpp_client: Path
    ping: Path
    raw_ping: Path

    @property
    def floor_server(self) -> Contestant:
        return Contestant(FLOOR, (str(self.floor),), SYNCHRONOUS_PATH)

    @property
    def our_servers(self) -> list[Contestant]:
        return our_servers(self.ours)

    @property
    def cpp_servers(self) -> list[Contestant]:
        return [
            Contestant(name, (str(self.cpp_server), way), SYNCHRONOUS_PATH)
            for name, way in zip(CPP, ("callback", "queue"))
        ]

    @property
    def servers(self) -> list[Contestant]:
        return [self.floor_server, *self.our_servers, *self.cpp_servers]


def our_servers(program: Path) -> list[Contestant]:
    serve = (str(program), "serve")
    return [Contestant(SYNCHRONOUS, serve, SYNCHRONOUS_PATH), Contestant(ASYNCHRONOUS, serve, ASYNCHRONOUS_PATH)]


def build_programs() -> Programs:
    load = build.HERE / "load"
    client = sorted(load.glob("*.c"))
    return Programs(
        ours=build.swift_product("benchmark-echo"),
        floor=build.c_program("floor-echo", sorted((build.HERE / "floor").glob("*.c")), ["libnghttp2"]),
        cpp_server=build.cpp_program("grpc-server"),
        cpp_client=build.cpp_program("grpc-client"),
        ping=build.c_program("load-ping", [*client, load / "programs" / "ping.c"], ["libnghttp2"]),
        raw_ping=build.c_program("load-raw-ping", [load / "programs" / "raw-ping.c"], []),
    )


class Running:
    """Contestants that have been started on the server's core; a context manager that ends them."""

    def __init__(self, contestants: list[Contestant], sockets: Path | None = None):
        """On TCP, or on Unix sockets in the folder `sockets`."""
        self.contestants = contestants
        self._sockets = sockets
        self._servers: dict[str, tuple[Server, str]] = {}
        self._stack = ExitStack()

    def __enter__(self) -> "Running":
        with ExitStack() as stack:
            for number, contestant in enumerate(self.contestants):
                address = f"unix:{self._sockets}/{number}" if self._sockets else f"127.0.0.1:{free_port()}"
                command = [*contestant.command, address, *contestant.options]
                server = stack.enter_context(Server(command, address, cores()[0]))
                self._servers[contestant.name] = server, address
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def server(self, contestant: Contestant) -> Server:
        return self._servers[contestant.name][0]

    def address(self, contestant: Contestant) -> str:
        return self._servers[contestant.name][1]

    def in_turn(self, turn: int) -> list[Contestant]:
        """Backwards every other turn: what slows the machine down for a while hits all of them alike."""
        return self.contestants if turn % 2 == 0 else self.contestants[::-1]
