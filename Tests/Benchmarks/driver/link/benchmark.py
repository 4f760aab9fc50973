"""The order of what is measured, and how much of each."""

from .. import build
from ..measures import Measure
from . import intake, memory, recovery
from .programs import build_programs

PACKAGES = ["libmicrohttpd-dev", "libsqlite3-dev", "libssl-dev"]


def run(quick: bool) -> list[Measure]:
    build.require_packages(*PACKAGES)
    programs = build_programs()
    measures = intake.measures(programs, rounds=3 if quick else 9, messages=10_000 if quick else 40_000)
    measures += recovery.measures(programs, rounds=1 if quick else 3, steady_messages=20_000 if quick else 100_000)
    measures += memory.measures(programs, rounds=1, many=100_000 if quick else 1_000_000)
    # What has a bound comes first: it is what the reader wants to know.
    return sorted(measures, key=lambda measure: measure.bound is None)
