"""The order of what is measured, and how much of it."""

import tempfile
from functools import partial
from pathlib import Path

from .. import build
from ..measures import AT_LEAST, Measure
from . import shop_data
from .contest import EARLY, SERVICES, Export, Outcome
from .programs import ORDERS, PARSE, PRODUCTS, SKIM, build_programs

PACKAGES = ["libmicrohttpd-dev", "libcurl4-openssl-dev", "libsqlite3-dev", "libjson-c-dev"]
CONNECTOR = "connector"
NAMES = {CONNECTOR: CONNECTOR, SKIM: "bare C", PARSE: "bare C that parses pages"}
RATE_BOUND = 0.5
# By how much memory may grow between EARLY and the end of an export: no more than the page cache of a store's writer
# (Shared/Storage/DatabaseOptions.swift), which may have been empty, and far less than what is exported.
GROWTH_BOUND_MIB = 16


def run(quick: bool) -> list[Measure]:
    build.require_packages(*PACKAGES)
    programs = build_programs()
    products, orders = (10_000, 200) if quick else (100_000, 1_000)
    rounds = 3 if quick else 5
    with tempfile.TemporaryDirectory(prefix="export-", dir=build.OUTPUT) as folder:
        export = Export(programs, Path(folder), products, orders)
        export.record()
        ways = {CONNECTOR: export.connector, **{mode: partial(export.bare, mode) for mode in (SKIM, PARSE)}}
        outcomes: dict[str, list[dict[str, Outcome]]] = {name: [] for name in ways}
        for number in range(rounds):
            build.say(f"export: round {number + 1} of {rounds}")
            # Backwards every other round: what slows the machine down for a while hits all of them alike.
            for name in list(ways) if number % 2 == 0 else reversed(ways):
                outcomes[name].append(ways[name]())
    titles = {PRODUCTS: f"full export of {products} products", ORDERS: f"{orders} orders of {shop_data.LINES} lines"}
    measures = [
        measure
        for kind in (PRODUCTS, ORDERS)
        for measure in _measures(
            kind, titles[kind], export.counts[kind], {name: [each[kind] for each in outcomes[name]] for name in ways}
        )
    ]
    # What has a bound comes first: it is what the reader wants to know.
    return sorted(measures, key=lambda measure: measure.bound is None)


def _measures(kind: str, title: str, count: int, outcomes: dict[str, list[Outcome]]) -> list[Measure]:
    ours = outcomes[CONNECTOR]
    result = []
    for mode, bound in ((SKIM, RATE_BOUND), (PARSE, None)):
        ratios = [one.rate / other.rate for one, other in zip(ours, outcomes[mode])]
        result.append(Measure(f"{title}: connector / {NAMES[mode]}", ratios, AT_LEAST, bound))
    for name in SERVICES[kind]:
        growth = [one.memory_mib[name][1] - one.memory_mib[name][0] for one in ours]
        when = f"from {EARLY:.0%} to the end"
        result.append(Measure(f"{title}, {name}: growth of RSS {when}, MiB", growth, bound=GROWTH_BOUND_MIB))
        result.append(Measure(f"{title}, {name}: RSS at the end, MiB", [one.memory_mib[name][1] for one in ours]))
    for name, of_name in outcomes.items():
        result.append(Measure(f"{title}, {NAMES[name]}: {kind}/s", [one.rate for one in of_name], AT_LEAST))
    for name in SERVICES[kind]:
        result.append(Measure(f"{title}, {name}: CPU per message, µs", _cpu_us(ours, name, count)))
    for mode in (SKIM, PARSE):
        result.append(Measure(f"{title}, {NAMES[mode]}: CPU per message, µs", _cpu_us(outcomes[mode], "bare", count)))
    return result


def _cpu_us(outcomes: list[Outcome], name: str, count: int) -> list[float]:
    return [one.cpu_seconds[name] / count * 1e6 for one in outcomes]
