"""Stock into the store, against C loops on the same store."""

from .failure import Failure
from .measures import Measure


def run(quick: bool) -> list[Measure]:
    raise Failure("the stock benchmark comes with the inventory service")
