"""Resident memory of the services, as the kernel accounts it in /proc/PID/status."""

from pathlib import Path

from .measures import Measure
from .services import Service

ANONYMOUS_BOUND_MIB = 8
RESIDENT_BOUND_MIB = 30


def idle_measures(programs: dict[str, Path], starts: int) -> list[Measure]:
    """Each service alone, right after it was found healthy."""
    measures = []
    for name, program in programs.items():
        anonymous, resident = [], []
        for _ in range(starts):
            with Service(program) as service:
                anonymous.append(service.server.memory_kib("RssAnon") / 1024)
                resident.append(service.server.memory_kib("VmRSS") / 1024)
        measures.append(Measure(f"idle {name}: RssAnon, MiB", anonymous, bound=ANONYMOUS_BOUND_MIB))
        measures.append(Measure(f"idle {name}: RSS, MiB", resident, bound=RESIDENT_BOUND_MIB))
    return measures
