"""A gateway that is killed with a long queue: how soon it serves again, and how fast the queue drains then."""

import time

from .. import build
from ..measures import AT_LEAST, Measure
from .programs import CONNECTIONS, Programs
from .site import Site

PENDING = 100_000
SERVING_BOUND_SECONDS = 1.0
DRAIN_BOUND = 0.7
LIMIT_SECONDS = 600


def measures(programs: Programs, rounds: int, steady_messages: int) -> list[Measure]:
    serving, first, drained, steady = [], [], [], []
    for number in range(rounds):
        build.say(f"recovery: round {number + 1} of {rounds}")
        steady.append(_steady_rate(programs, steady_messages))
        after = _Recovery(programs)
        serving.append(after.serving_seconds)
        first.append(after.first_seconds)
        drained.append(after.drain_rate)
    title = f"killed with {PENDING} pending"
    ratios = [each / other for each, other in zip(drained, steady)]
    return [
        Measure(f"{title}: from start to SERVING and a callback accepted, s", serving, bound=SERVING_BOUND_SECONDS),
        Measure(f"{title}: drains / steady rate", ratios, AT_LEAST, DRAIN_BOUND),
        Measure(f"{title}: drains, first to last SUCCESS, messages/s", drained, AT_LEAST),
        Measure(f"{title}: from inventory SERVING to the first SUCCESS, s", first),
        Measure(f"steady, first callback to last SUCCESS, {CONNECTIONS} connections: messages/s", steady, AT_LEAST),
    ]


def _steady_rate(programs: Programs, messages: int) -> float:
    """Everything runs; the clock stops when the last message has its effect, so a queue that builds up is no gain."""
    with Site(programs) as site:
        site.start("inventory")
        site.start("gateway")
        programs.deliver(site.callback, 0, messages, LIMIT_SECONDS)
        site.wait_until_drained(LIMIT_SECONDS)
        (nanoseconds,) = site.ask("SELECT max(finished_at) - min(received_at) FROM journal")
    return messages / nanoseconds * 1e9


class _Recovery:
    """One life of the queue; the times are the journal's own where it has them."""

    def __init__(self, programs: Programs):
        with Site(programs) as site:
            site.start("gateway")
            programs.deliver(site.callback, 0, PENDING, LIMIT_SECONDS)
            site.kill("gateway")

            start = time.monotonic()
            site.start("gateway")
            programs.deliver(site.callback, PENDING, 1)
            self.serving_seconds = time.monotonic() - start

            site.start("inventory")
            serves_ns = time.time_ns()
            site.wait_until_drained(LIMIT_SECONDS)
            first_ns, last_ns = site.ask("SELECT min(finished_at), max(finished_at) FROM journal")
            self.first_seconds = max(0, first_ns - serves_ns) / 1e9
            self.drain_rate = PENDING / (last_ns - first_ns) * 1e9
