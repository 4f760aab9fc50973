"""The order of what is measured, and how much of each."""

from .. import build
from ..measures import Measure
from . import intake
from .programs import build_programs

PACKAGES = ["libmicrohttpd-dev", "libsqlite3-dev", "libssl-dev"]


def run(quick: bool) -> list[Measure]:
    build.require_packages(*PACKAGES)
    programs = build_programs()
    return intake.measures(programs, rounds=3 if quick else 9, messages=10_000 if quick else 40_000)
