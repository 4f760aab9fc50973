"""The rows of a measurement, as load/rows.h has them; computed anew, so that an error there can't hide."""

from dataclasses import dataclass

STORED_SECONDS = 1_750_000_000
FULL_SECONDS = STORED_SECONDS + 86_400
ROWS_PER_PART = 10_000
ROWS_PER_DELTA = 100
DELTAS_PER_PART = 10
UPDATED_SKUS = 10_000


@dataclass(frozen=True)
class Work:
    aggregates: int
    # Of each aggregate.
    skus: int

    @property
    def stored(self) -> int:
        """Rows that the store holds before."""
        return self.aggregates * self.skus

    @property
    def delta_rows(self) -> int:
        return self.aggregates * self.deltas * ROWS_PER_DELTA

    @property
    def rows(self) -> int:
        """Of the FULLs and the DELTAs."""
        return self.stored + self.delta_rows

    @property
    def deltas(self) -> int:
        """Of each aggregate."""
        return self.skus // ROWS_PER_PART * DELTAS_PER_PART

    @property
    def step(self) -> int:
        """Between two SKUs of a DELTA."""
        return self.skus // ROWS_PER_DELTA

    def newest_deltas(self) -> dict[int, int]:
        """The number of the newest DELTA that names the SKUs whose number has the key as its remainder by `step`."""
        pairs = self.deltas // 2
        return {number * 7919 % pairs * (self.step // pairs): number for number in range(self.deltas)}

    @property
    def arguments(self) -> list[str]:
        return [str(self.aggregates), str(self.skus)]


def spread(rows: int) -> Work:
    """A FULL of about `rows` rows, over as many aggregates as replicas are measured at most."""
    aggregates = 4
    # Two parts at least, so that the two DELTAs of a SKU don't go out together.
    parts = max(2, round(rows / aggregates / ROWS_PER_PART))
    return Work(aggregates, parts * ROWS_PER_PART)
