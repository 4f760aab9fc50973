"""What the store holds when all is through, against what it has to hold."""

from ..failure import Failure
from .stores import HISTORY, TABLE, Store
from .work import FULL_SECONDS, ROWS_PER_DELTA, UPDATED_SKUS, Work

NANOSECONDS = 1_000_000_000


def stale_overwrites(store: Store, work: Work) -> int:
    """Rows that hold something else than the newest message said of them, and changes that went back in time."""
    newest = ", ".join(f"({first}, {number})" for first, number in work.newest_deltas().items())
    ((rows, wrong),) = store.query(
        f"""
        WITH newest (first, number) AS (VALUES {newest}),
        stock AS (SELECT CAST(substr(sku, 5) AS INTEGER) AS number, quantity, created_on FROM {TABLE})
        SELECT count(*), sum(CASE WHEN newest.number IS NULL
          THEN CASE WHEN created_on = {FULL_SECONDS * NANOSECONDS}
            AND quantity = CAST(stock.number AS BIGINT) * 7919 % 1000 + stock.number % 2 THEN 0 ELSE 1 END
          ELSE CASE WHEN created_on = (CAST({FULL_SECONDS + 1} AS BIGINT) + newest.number) * {NANOSECONDS}
            AND quantity = 2000 + newest.number THEN 0 ELSE 1 END END)
        FROM stock LEFT JOIN newest ON newest.first = stock.number % {work.step}
        """
    )
    if rows != work.stored:
        raise Failure(f"the store holds {rows} rows instead of {work.stored}")
    ((backwards,),) = store.query(f"SELECT count(*) FROM {HISTORY} WHERE created_on < previous_created_on")
    return wrong + backwards


def check_history(store: Store, work: Work) -> None:
    """A rate counts only if the history was written too."""
    # Each row of a DELTA changes a value; each second one of the FULL does, unless a DELTA came before it.
    named_skus = len(work.newest_deltas()) * ROWS_PER_DELTA * work.aggregates
    most = work.delta_rows + work.stored // 2
    least = most - named_skus
    ((rows,),) = store.query(f"SELECT count(*) FROM {HISTORY}")
    if not least <= rows <= most:
        raise Failure(f"the history has {rows} rows; between {least} and {most} are right")


def check_updates(store: Store, updates: int) -> None:
    """All single-row updates are in the store, and each is in the history."""
    newest = (updates - 1) // UPDATED_SKUS
    of_newest = updates - newest * UPDATED_SKUS
    ((rows,),) = store.query(
        f"SELECT count(*) FROM {TABLE} WHERE quantity = 2000 + {newest} "
        f"AND created_on = {(FULL_SECONDS + 1 + newest) * NANOSECONDS}"
    )
    ((history,),) = store.query(f"SELECT count(*) FROM {HISTORY}")
    if (rows, history) != (of_newest, updates):
        raise Failure(
            f"after {updates} updates {rows} SKUs have the newest value instead of {of_newest}, "
            f"and the history has {history} rows"
        )
