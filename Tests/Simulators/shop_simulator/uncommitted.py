"""Statements that have run and are not committed yet: nobody sees them, but their rows are stamped with the moment at
which they ran (magento-rules §4: `updated_at`)."""

from .errors import ShopError


class Uncommitted:
    def __init__(self, shop):
        self._shop = shop
        self._open = {}
        self._last = 0

    def hold(self, work):
        """Keeps `work()` for `commit`. Returns the transaction's number."""
        self._last += 1
        self._open[self._last] = (self._shop.clock.now(), work)
        return self._last

    def commit(self, number):
        """Makes it visible; the result of the work."""
        if number not in self._open:
            raise ShopError(404, f"transaction {number} is not open; open are {sorted(self._open)}")
        moment, work = self._open.pop(number)
        with self._shop.clock.at(moment):
            return work()

    def roll_back(self, number):
        """Forgets it. The numbers that it has drawn stay drawn, as in MySQL."""
        if self._open.pop(number, None) is None:
            raise ShopError(404, f"transaction {number} is not open; open are {sorted(self._open)}")
