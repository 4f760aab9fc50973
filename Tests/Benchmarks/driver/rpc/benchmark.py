"""The order of what is measured, and how long each takes."""

import tempfile
from pathlib import Path

from .. import build
from ..measures import Measure
from . import clients, forwarding, instructions, latency, secured, servers
from .contestants import Programs, build_programs

PACKAGES = ["nghttp2-client", "libgrpc++-dev", "protobuf-compiler-grpc", "valgrind", "g++", "openssl"]


def run(quick: bool) -> list[Measure]:
    build.require_packages(*PACKAGES)
    programs = build_programs()
    rounds = 3 if quick else 11
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        measures = _measures(programs, rounds, quick, directory)
    # What has a bound comes first: it is what the reader wants to know.
    return sorted(measures, key=lambda measure: measure.bound is None)


def _measures(programs: Programs, rounds: int, quick: bool, directory: Path) -> list[Measure]:
    measures = servers.measures(programs, rounds, 20_000 if quick else 80_000, directory)
    measures += secured.measures(programs, rounds, 20_000 if quick else 80_000, directory)
    measures += latency.measures(programs, rounds, 5_000 if quick else 20_000, directory)
    measures += clients.ping_pong(programs, rounds, 1_000 if quick else 5_000, directory)
    measures += clients.throughput(programs, rounds, 10_000 if quick else 40_000)
    measures += clients.large_messages(programs, rounds, 100 if quick else 400)
    measures += forwarding.measures(programs, rounds, 10_000 if quick else 40_000, directory)
    measures += instructions.measures(programs, directory, quick)
    return measures
