"""Instructions per call, counted by callgrind: no clock, so the same on every machine."""

import re
import shutil
import signal
import subprocess
from pathlib import Path

from . import build, h2load
from .failure import Failure
from .measures import Measure
from .processes import Server, free_port

# The difference of two lives of a server leaves out start, warm-up and stop.
FEW, MANY = 2_000, 6_000
START_LIMIT_SECONDS = 120


def instruction_measures(targets: list, directory: Path) -> list[Measure]:
    measures = [
        Measure(f"{target.name}: instructions per call", [_instructions_per_call(target, directory)])
        for target in targets
    ]
    floor = measures[0].values[0]
    for target, measure in list(zip(targets, measures))[1:]:
        measures.append(Measure(f"{target.name}: instructions per call / floor", [measure.values[0] / floor]))
    return measures


def _instructions_per_call(target, directory: Path) -> float:
    build.say(f"callgrind: {target.name}")
    few, many = (_instructions(target, calls, directory) for calls in (FEW, MANY))
    return (many - few) / (MANY - FEW)


def _without_debug_information(program: Path, directory: Path) -> Path:
    """A copy that valgrind can read: Debian's 3.19 ends on the DWARF of Swift's compiler. The code is the same."""
    copy = directory / f"{program.name}.stripped"
    done = subprocess.run(["strip", "-g", "-o", str(copy), str(program)], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"`strip -g {program}` failed with exit code {done.returncode}: {done.stderr.strip()}")
    return copy


def is_available() -> bool:
    return all(shutil.which(tool) for tool in ("valgrind", "strip"))


def _instructions(target, calls: int, directory: Path) -> int:
    output = directory / f"callgrind.{target.name}.{calls}"
    address = f"127.0.0.1:{free_port()}"
    program = _without_debug_information(target.program, directory)
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={output}", str(program), address]
    with Server(command, address, start_limit_seconds=START_LIMIT_SECONDS) as server:
        # One call in flight: what a batch shares would make the number depend on the batches' size.
        h2load.load(address, target.path, calls, directory, clients=1, in_flight=1)
        server.stop(signal.SIGTERM)
    return parse_total(output.read_text())


def parse_total(text: str) -> int:
    """The number of instructions in callgrind's output file, which may hold one part for each dump."""
    totals = re.findall(r"^totals: (\d+)", text, re.MULTILINE)
    if not totals:
        raise Failure("callgrind's output has no totals: the server was killed before it wrote them")
    return sum(map(int, totals))
