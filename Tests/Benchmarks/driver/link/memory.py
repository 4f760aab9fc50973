"""What a long queue takes of the gateway's memory: it lies in the store, so it should take none."""

import time

from .. import build
from ..measures import Measure
from .programs import Programs
from .site import Site

BOUND_MIB = 16
# Hardly any, for the reader; and few, but enough to have filled the page cache of the store's writer (16 MiB, in
# Shared/Storage/DatabaseOptions.swift), which is no larger with a million: what is beyond these is the queue's own.
HARDLY_ANY = 1_000
FEW = 20_000
LIMIT_SECONDS = 900
# The queue need not drain to its end to show what draining takes.
DRAIN_SECONDS = 20
SAMPLE_SECONDS = 0.02
IDLE, RESTARTED, DRAINING = "idle", "after a restart", "while draining"


def measures(programs: Programs, rounds: int, many: int) -> list[Measure]:
    lengths = (HARDLY_ANY, FEW, many)
    samples: dict[int, list[dict[str, float]]] = {pending: [] for pending in lengths}
    for number in range(rounds):
        for pending in lengths:
            build.say(f"memory, {pending} pending: round {number + 1} of {rounds}")
            samples[pending].append(_anonymous_mib(programs, pending))
    result = []
    for state in (IDLE, RESTARTED, DRAINING):
        growth = [after[state] - before[state] for before, after in zip(samples[FEW], samples[many])]
        title = f"gateway {state}, {many} pending beyond {FEW}: RssAnon, MiB"
        result.append(Measure(title, growth, bound=BOUND_MIB))
        for pending in lengths:
            mib = [each[state] for each in samples[pending]]
            result.append(Measure(f"gateway {state}, {pending} pending: RssAnon, MiB", mib))
    return result


def _anonymous_mib(programs: Programs, pending: int) -> dict[str, float]:
    """The messages come in through the edge, so what taking them in leaves behind is in the figures."""
    with Site(programs) as site:
        site.start("gateway")
        programs.deliver(site.callback, 0, pending, LIMIT_SECONDS)
        result = {IDLE: _now(site)}
        site.stop("gateway")
        site.start("gateway")
        programs.deliver(site.callback, pending, 1)
        result[RESTARTED] = _now(site)
        site.start("inventory")
        result[DRAINING] = _peak_of_drain(site)
    return result


def _peak_of_drain(site: Site) -> float:
    end = time.monotonic() + DRAIN_SECONDS
    peak = _now(site)
    while site.has_pending() and time.monotonic() < end:
        time.sleep(SAMPLE_SECONDS)
        peak = max(peak, _now(site))
    return peak


def _now(site: Site) -> float:
    return site.gateway.memory_kib("RssAnon") / 1024
