"""The command line: which benchmark, how long, in which form."""

import argparse
import sys
import unittest

from . import export, guard, link, rpc, stock
from .failure import Failure
from .measures import as_json, as_table

BENCHMARKS = {
    "rpc": lambda options: rpc.run(options.quick),
    "stock": lambda options: stock.run(options.quick, options.rows, options.rounds, options.part),
    "curve": lambda options: stock.run_curve(options.quick, options.rounds),
    "link": lambda options: link.run(options.quick),
    "export": lambda options: export.run(options.quick),
    "instructions": lambda options: guard.run(options.record),
}

DESCRIPTION = """Benchmarks of the project. Every bound is a ratio, a size or a count, taken in one run, and is judged
by the median. Exit code: 0 all bounds hold, 1 one does not, 2 the benchmark could not be run."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="Tests/Benchmarks/run", description=DESCRIPTION)
    parser.add_argument("benchmark", nargs="?", choices=sorted(BENCHMARKS))
    parser.add_argument("--json", action="store_true", help="an array of objects instead of the table")
    parser.add_argument("--quick", action="store_true", help="a smoke run: fewer rounds, fewer calls, coarser")
    parser.add_argument("--rounds", type=int, help="of stock and curve: how often everything is measured")
    parser.add_argument("--rows", type=int, help="of stock: rows of the FULL")
    parser.add_argument("--part", action="append", choices=stock.PARTS, help="of stock: only this; may be repeated")
    parser.add_argument("--record", action="store_true", help="of instructions: keep the counts as the new bounds")
    parser.add_argument("--self-check", action="store_true", help="test the driver itself and do nothing else")
    options = parser.parse_args(arguments)
    if options.self_check:
        return self_check()
    if options.benchmark is None:
        parser.error("say which benchmark: " + ", ".join(sorted(BENCHMARKS)))
    try:
        measures = BENCHMARKS[options.benchmark](options)
    except Failure as failure:
        print(f"Tests/Benchmarks/run: {failure}", file=sys.stderr)
        return 2
    print(as_json(measures) if options.json else as_table(measures))
    return 1 if any(measure.holds is False for measure in measures) else 0


def self_check() -> int:
    from . import test_guard, test_measures, test_parsing, test_stock

    suite = unittest.TestSuite(
        unittest.defaultTestLoader.loadTestsFromModule(module)
        for module in (test_guard, test_measures, test_parsing, test_stock)
    )
    return 0 if unittest.TextTestRunner().run(suite).wasSuccessful() else 1
