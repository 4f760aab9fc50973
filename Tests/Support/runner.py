"""Runs the unittest tests of a folder: runner.py FOLDER COUNTS-FILE [NAME-PART].

Writes "PASSED FAILED SKIPPED" and the names of the failed into COUNTS-FILE once it is through: without the file, it crashed.
unittest's own closing line counts failed subtests and class set-ups, but not what they belong to.
"""

import os
import sys
import time
import unittest


class Result(unittest.TextTestResult):
    """One outcome a test: a test with five failing subtests has failed once."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.names = {"started": set(), "failed": set(), "skipped": set()}

    def startTest(self, test):
        self.names["started"].add(test.id())
        self._began = time.monotonic()
        super().startTest(test)

    def stopTest(self, test):
        took = time.monotonic() - self._began
        if took > 2:
            self.stream.writeln(f"        {took:.1f} s")
        super().stopTest(test)

    def addError(self, test, error):
        self.names["failed"].add(test.id())
        super().addError(test, error)

    def addFailure(self, test, error):
        self.names["failed"].add(test.id())
        super().addFailure(test, error)

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self.names["failed"].add(test.id())
        super().addSubTest(test, subtest, error)

    def addUnexpectedSuccess(self, test):
        self.names["failed"].add(test.id())
        super().addUnexpectedSuccess(test)

    def addSkip(self, test, reason):
        self.names["skipped"].add(test.id())
        super().addSkip(test, reason)


def main(folder, counts, *parts):
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{part}*" for part in parts] or None
    tests = loader.discover(folder, top_level_dir=folder)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Result).run(tests)
    failed, skipped = result.names["failed"], result.names["skipped"] - result.names["failed"]
    passed = result.names["started"] - failed - skipped
    with open(counts, "w", encoding="utf-8") as file:
        print(len(passed), len(failed), len(skipped), file=file)
        for name in sorted(failed):
            print(name, file=file)
        for test, reason in result.skipped:
            print(f"        skipped {test.id()}: {reason}")


main(*sys.argv[1:])
# Not through the interpreter's end: it kills grpcio's threads where they are, and now and then one of them holds the lock
# that the end then waits for.
sys.stdout.flush()
os._exit(0)
