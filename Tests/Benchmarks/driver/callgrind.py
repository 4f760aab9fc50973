"""Instructions per call, counted by callgrind: no clock, so the same on every machine."""

import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from . import build
from .failure import Failure
from .processes import Server, free_port

# The difference of two lives of a process leaves out start, warm-up and stop.
FEW, MANY = 2_000, 6_000
# The clients make a tenth more calls than they are told to, to warm up.
WITH_WARM_UP = 1.1
START_LIMIT_SECONDS = 120
RUN_LIMIT_SECONDS = 300


def server_instructions_per_call(
    name: str, command: list[str], directory: Path, load: Callable[[str, int], float]
) -> float:
    """Of a server that is started with `command` and an address.

    `load` gets the address and how many calls to make, and returns how many it makes for each of them; it keeps one in
    flight, as what a batch shares would make the number depend on the batches' size.
    """
    factor = 1.0

    def live(calls: int, output: Path) -> None:
        nonlocal factor
        address = f"127.0.0.1:{free_port()}"
        with Server(
            [*_counted(command, output, directory), address], address, start_limit_seconds=START_LIMIT_SECONDS
        ) as server:
            factor = load(address, calls)
            server.stop(signal.SIGTERM)

    return _per_call(name, live, directory) / factor


def client_instructions_per_call(
    name: str, command: list[str], arguments: Callable[[int], list[str]], directory: Path
) -> float:
    """Of a client that is started with `command` and what `arguments` gives for the number of calls to make."""

    def live(calls: int, output: Path) -> None:
        whole = [*_counted(command, output, directory), *arguments(calls)]
        done = subprocess.run(whole, capture_output=True, text=True, timeout=RUN_LIMIT_SECONDS)
        if done.returncode != 0:
            raise Failure(f"`{' '.join(whole)}` failed with exit code {done.returncode}: {done.stderr.strip()}")

    return _per_call(name, live, directory) / WITH_WARM_UP


def _per_call(name: str, live: Callable[[int, Path], None], directory: Path) -> float:
    build.say(f"callgrind: {name}")
    totals = []
    for calls in (FEW, MANY):
        output = directory / f"callgrind.{calls}"
        output.unlink(missing_ok=True)
        live(calls, output)
        if not output.exists():
            raise Failure(f"callgrind wrote nothing about {name}: did it end by itself?")
        totals.append(parse_total(output.read_text()))
    return (totals[1] - totals[0]) / (MANY - FEW)


def _counted(command: list[str], output: Path, directory: Path) -> list[str]:
    program = _without_debug_information(Path(command[0]), directory)
    return ["valgrind", "--tool=callgrind", f"--callgrind-out-file={output}", str(program), *command[1:]]


def _without_debug_information(program: Path, directory: Path) -> Path:
    """A copy that valgrind can read: Debian's 3.19 ends on the DWARF of Swift's compiler. The code is the same."""
    copy = directory / f"{program.name}.stripped"
    done = subprocess.run(["strip", "-g", "-o", str(copy), str(program)], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"`strip -g {program}` failed with exit code {done.returncode}: {done.stderr.strip()}")
    return copy


def parse_total(text: str) -> int:
    """The number of instructions in callgrind's output file, which may hold one part for each dump."""
    totals = re.findall(r"^totals: (\d+)", text, re.MULTILINE)
    if not totals:
        raise Failure("callgrind's output has no totals: the server was killed before it wrote them")
    return sum(map(int, totals))
