"""The shop's clock: that of the machine until a test moves it. Times are whole seconds, in UTC and without a zone, as
in Magento's database (magento-rules §4)."""

import time
from contextlib import contextmanager
from datetime import datetime, timezone

FORMAT = "%Y-%m-%d %H:%M:%S"


def text(seconds):
    """Seconds since 1970 as the database writes them."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime(FORMAT)


def seconds(written):
    """What `text` has written, as seconds since 1970."""
    return int(datetime.strptime(written, FORMAT).replace(tzinfo=timezone.utc).timestamp())


class Clock:
    """Seconds since 1970. The caller holds the shop's lock."""

    def __init__(self):
        self._offset_s = 0
        self._fixed = None
        self._statement = None

    def now(self):
        if self._statement is not None:
            return self._statement
        return self._fixed if self._fixed is not None else int(time.time()) + self._offset_s

    def text(self):
        return text(self.now())

    def move(self, by_s):
        """Sets it forwards, or backwards for a negative number."""
        if self._fixed is not None:
            self._fixed += by_s
        else:
            self._offset_s += by_s

    def fix(self, at):
        """Stops it at that moment; None lets it run again."""
        self._fixed = at

    @contextmanager
    def at(self, moment):
        """Statements in the block are stamped with that moment: they have run then, and are committed only now."""
        before, self._statement = self._statement, moment
        try:
            yield
        finally:
            self._statement = before
