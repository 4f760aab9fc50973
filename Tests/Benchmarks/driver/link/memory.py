"""What a long queue takes of the gateway's memory: it lies in the store, so it should take none."""

import time

from .. import build
from ..measures import Measure
from .programs import Programs
from .site import Site

BOUND_MIB = 16
FEW = 1_000
LIMIT_SECONDS = 900
# The queue need not drain to its end to show what draining takes.
DRAIN_SECONDS = 20
SAMPLE_SECONDS = 0.02
IDLE, RESTARTED, DRAINING = "idle", "after a restart", "while draining"


def measures(programs: Programs, rounds: int, many: int) -> list[Measure]:
    few_rounds, many_rounds = [], []
    for number in range(rounds):
        build.say(f"memory: round {number + 1} of {rounds}")
        few_rounds.append(_anonymous_mib(programs, FEW))
        many_rounds.append(_anonymous_mib(programs, many))
    result = []
    for state in (IDLE, RESTARTED, DRAINING):
        few_mib = [each[state] for each in few_rounds]
        many_mib = [each[state] for each in many_rounds]
        growth = [after - before for before, after in zip(few_mib, many_mib)]
        result.append(
            Measure(f"gateway {state}, {many} pending beyond {FEW}: RssAnon, MiB", growth, bound=BOUND_MIB))
        result.append(Measure(f"gateway {state}, {FEW} pending: RssAnon, MiB", few_mib))
        result.append(Measure(f"gateway {state}, {many} pending: RssAnon, MiB", many_mib))
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
