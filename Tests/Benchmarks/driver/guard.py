"""Keeps a call as cheap as it was: instructions per call against those recorded in instructions.json.

One connection with one call in flight, and the difference of a long and a short life of the process, so that neither
batches nor the start of the process count. What is left varies by a few in a thousand.
"""

import json
import tempfile
from pathlib import Path

from . import build
from .failure import Failure
from .measures import Measure
from .rpc.contestants import our_servers
from .rpc.forwarding import FORWARD
from .rpc.instructions import client_counts, forward_count, our_client, server_counts

RECORD = build.HERE / "instructions.json"
# How much more than recorded is let pass: less than one careless allocation for each call costs.
TOLERANCE = 1.03
COMMAND = "Tests/Benchmarks/run instructions --record"


def run(is_recording: bool) -> list[Measure]:
    build.require_packages("nghttp2-client", "valgrind")
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        counts = _counts(build.swift_product("benchmark-echo"), Path(directory))
    if is_recording:
        RECORD.write_text(json.dumps({name: round(count) for name, count in counts.items()}, indent=2) + "\n")
        build.say(f"recorded in {RECORD.relative_to(build.ROOT)}: say in the commit why the numbers have changed")
    measures = judged(counts, recorded(RECORD.read_text()))
    if any(measure.holds is False for measure in measures):
        build.say(f"a call takes more instructions than recorded: make it cheaper, or, if it is worth that, {COMMAND}")
    return measures


def _counts(program: Path, directory: Path) -> dict[str, float]:
    servers = our_servers(program)
    counts = server_counts(servers, directory) | client_counts(our_client(program), servers[0], directory)
    counts[FORWARD] = forward_count(program, directory)
    return counts


def recorded(text: str) -> dict[str, int]:
    """Reads the record."""
    try:
        record = json.loads(text)
    except ValueError as error:
        raise Failure(f"{RECORD} is not JSON: {error}; make it anew: {COMMAND}") from None
    is_counts = isinstance(record, dict) and all(isinstance(count, int) for count in record.values())
    if not is_counts:
        raise Failure(f"{RECORD} is not an object of counts: make it anew: {COMMAND}")
    return record


def judged(counts: dict[str, float], record: dict[str, int]) -> list[Measure]:
    measures = []
    for name, count in counts.items():
        if name not in record:
            raise Failure(f"{RECORD} has no count for {name}: make it anew: {COMMAND}")
        measures.append(Measure(f"instructions per call, {name}", [count], bound=record[name] * TOLERANCE))
    return measures
