"""One round: the connector, or the bare loop, exports all products and then all orders."""

import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from .. import build
from ..failure import Failure
from ..link.site import HEALTHY_WITHIN_SECONDS, Site, wait_until
from . import shop_data
from .programs import CONCURRENCY, ORDERS, PRODUCTS, RUN_LIMIT_SECONDS, FarSide, Programs, Tally

# Who works on which kind; of these the memory is looked at.
SERVICES = {PRODUCTS: ("catalog", "gateway"), ORDERS: ("sales", "gateway")}
# Where the first sample of the memory is taken: start-up and the filling of buffers are behind then.
EARLY = 0.2
SAMPLE_SECONDS = 0.02


@dataclass
class Outcome:
    """Of one kind; the figures of the connector's processes are by service."""

    rate: float
    page_size: int
    cpu_seconds: dict[str, float]
    # RSS in MiB at EARLY, and when the last message has arrived.
    memory_mib: dict[str, tuple[float, float]] = field(default_factory=dict)


class Export:
    """The shop's data, and the messages that the connector makes of it."""

    def __init__(self, programs: Programs, folder: Path, products: int, orders: int):
        self._programs = programs
        self._data, self._record = folder / "data", folder / "record"
        self.counts = {PRODUCTS: products, ORDERS: orders}
        self._data.mkdir()
        self._record.mkdir()
        build.say(f"{products} products and {orders} orders of {shop_data.LINES} lines are made")
        shop_data.write(self._data, products, orders)
        (folder / "mapping").write_text(shop_data.MAPPING)
        self._mapping = folder / "mapping"

    def record(self) -> None:
        """Lets the connector export once, to have the messages that the bare loop posts."""
        build.say("the connector's messages are recorded")
        outcomes = self._connector(self._record)
        # The bare loop reads the same pages.
        self._page_sizes = {kind: outcome.page_size for kind, outcome in outcomes.items()}

    def connector(self) -> dict[str, Outcome]:
        return self._connector(None)

    def bare(self, mode: str) -> dict[str, Outcome]:
        outcomes = {}
        for kind in (PRODUCTS, ORDERS):
            with FarSide(self._programs.far_side, self._data) as far_side:
                page_size = self._page_sizes[kind]
                cpu_seconds = self._programs.run_bare(kind, far_side, self._record, page_size, mode)
                outcomes[kind] = Outcome(self._rate(kind, far_side.tally(kind)), page_size, {"bare": cpu_seconds})
        return outcomes

    def _connector(self, record: Path | None) -> dict[str, Outcome]:
        outcomes = {}
        with FarSide(self._programs.far_side, self._data, record) as far_side:
            settings = {
                "OMS_URL": far_side.url,
                "OMS_MAX_CONCURRENCY": str(CONCURRENCY),
                "OMS_REGISTRATION_WAIT": "0s",
                "COMMERCE_URL": far_side.url,
                "COMMERCE_TOKEN": "only-for-benchmarks",
                "COMMERCE_MAPPING_FILE": str(self._mapping),
            }
            with Site(self._programs, settings) as site:
                site.start("gateway")
                site.start("catalog")
                # It may have looked for the catalog before that listened.
                wait_until(
                    lambda: self._omsctl(site, "catalog", "list").returncode == 0,
                    "the gateway reaches the catalog",
                    HEALTHY_WITHIN_SECONDS,
                )
                outcomes[PRODUCTS] = self._watched(PRODUCTS, far_side, site, lambda: self._export_catalog(site))
                outcomes[ORDERS] = self._watched(ORDERS, far_side, site, lambda: site.launch("sales"))
        return outcomes

    def _export_catalog(self, site: Site) -> None:
        """Returns when all is read and in the outbox."""
        end = time.monotonic() + HEALTHY_WITHIN_SECONDS
        done = self._omsctl(site, "catalog", "export", "--full")
        # Each loop of the gateway has a connection of its own to the catalog: one may not be there yet.
        while "SERVICE_UNREACHABLE" in done.stderr and time.monotonic() < end:
            done = self._omsctl(site, "catalog", "export", "--full")
        if done.returncode != 0:
            said = (done.stdout + done.stderr).strip()[-2000:]
            raise Failure(f"omsctl catalog export --full failed with exit code {done.returncode}: {said}")

    def _omsctl(self, site: Site, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [str(self._programs.omsctl), *words],
            env={"PATH": "/usr/bin:/bin", "OMSCTL_GATEWAY": site.target("gateway")},
            capture_output=True,
            text=True,
            timeout=RUN_LIMIT_SECONDS,
        )

    def _watched(self, kind: str, far_side: FarSide, site: Site, begin) -> Outcome:
        """Begins, waits for the last message, and looks at the services meanwhile."""
        cpu_before = {name: site.server(name).cpu_ns() for name in SERVICES[kind] if site.runs(name)}
        failures: list[BaseException] = []
        beginning = threading.Thread(target=lambda: _keep_failure(begin, failures))
        beginning.start()
        count = self.counts[kind]
        early: dict[str, float] = {}
        end = time.monotonic() + RUN_LIMIT_SECONDS
        while (tally := far_side.tally(kind)).different < count:
            if not early and tally.different >= EARLY * count:
                early = self._memory(kind, site)
            if failures:
                raise failures[0]
            if time.monotonic() > end:
                raise Failure(f"only {tally.different} of {count} {kind} have come to the OMS in {RUN_LIMIT_SECONDS} s")
            time.sleep(SAMPLE_SECONDS)
        late = self._memory(kind, site)
        cpu_seconds = {
            name: (site.server(name).cpu_ns() - cpu_before.get(name, 0)) / 1e9 for name in SERVICES[kind]
        }
        beginning.join()
        if failures:
            raise failures[0]
        return Outcome(
            self._rate(kind, tally),
            tally.page_size,
            cpu_seconds,
            # Of an export that is over between two samples, both are the last.
            {name: (early.get(name, late[name]), late[name]) for name in late},
        )

    def _memory(self, kind: str, site: Site) -> dict[str, float]:
        return {name: site.server(name).memory_kib("VmRSS") / 1024 for name in SERVICES[kind]}

    def _rate(self, kind: str, tally: Tally) -> float:
        """A rate counts only if all have come, each once."""
        count = self.counts[kind]
        if (tally.different, tally.repeated) != (count, 0):
            raise Failure(
                f"{tally.different} of {count} {kind} have come to the OMS, and {tally.repeated} of them more than once"
            )
        return count / tally.seconds


def _keep_failure(begin, failures: list[BaseException]) -> None:
    try:
        begin()
    except BaseException as failure:  # noqa: BLE001 – it is raised where the round is waited for
        failures.append(failure)
