"""The rule of stock, written a second time: per aggregate and SKU, an older row changes nothing."""

from datetime import datetime, timezone

UPDATED = "magento.inventory.aggregate_stock_management.updated"
MODES = ("FULL", "DELTA", "NONZERO")


def is_valid(params):
    """Whether a service can consume these params at all."""
    snapshot = params.get("snapshot") if isinstance(params, dict) else None
    if not isinstance(snapshot, dict) or snapshot.get("mode") not in MODES or not isinstance(snapshot.get("stock"), list):
        return False
    try:
        moment(snapshot["created_on"])
    except (KeyError, TypeError, ValueError):
        return False
    return isinstance(snapshot.get("aggregate_id"), str) and snapshot["aggregate_id"] != ""


def moment(text):
    """A date of the bus; without a zone it is UTC. Source: connector.md §5, "Field name"."""
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)


class Stock:
    """What should be stored after so many snapshots in this order."""

    def __init__(self):
        self.rows = {}  # (aggregate, SKU) → (created_on, quantity or None, whether a NONZERO wrote it, by whom)
        self.aggregates = set()
        self._runs = {}  # aggregate → (created_on of its last NONZERO, whether what that leaves out is still to be zeroed)

    def apply(self, params, by):
        """`by`: what to name when the row is not as it should be."""
        snapshot = params["snapshot"]
        aggregate, created = snapshot["aggregate_id"], moment(snapshot["created_on"])
        self.aggregates.add(aggregate)
        is_nonzero = snapshot["mode"] == "NONZERO"
        last, is_open = self._runs.get(aggregate, (None, False))
        if snapshot["mode"] != "DELTA" and is_open and last < created:
            self._zero(aggregate, last, by)
            self._runs[aggregate] = (last, False)
        for row in snapshot["stock"]:
            key = (aggregate, row["sku"])
            if key not in self.rows or self.rows[key][0] <= created:
                # Another one of the same time doesn't make a NONZERO forget what it has named.
                is_named = is_nonzero or key in self.rows and self.rows[key][0] == created and self.rows[key][2]
                self.rows[key] = (created, None if row.get("unlimited") else max(0, int(row["quantity"])), is_named, by)
        if is_nonzero:
            self._end(aggregate, created, by)

    def _end(self, aggregate, created, by):
        """A NONZERO is the whole unless another one has shared its created_on: then more parts may come."""
        last, is_open = self._runs.get(aggregate, (None, False))
        if last == created:
            self._runs[aggregate] = (created, True)
            return
        is_late = last is not None and last > created
        if not (is_late and is_open):
            self._zero(aggregate, created, by)
        if not is_late:
            self._runs[aggregate] = (created, False)

    def _zero(self, aggregate, created, by):
        """More than a fifth of twenty SKUs or more waits for the operator, who doesn't come."""
        own = {key: row for key, row in self.rows.items() if key[0] == aggregate}
        # What the parts of one NONZERO have written shares its created_on.
        left_out = [key for key, (written, quantity, by_nonzero, _) in own.items()
                    if written <= created and quantity is not None and not (by_nonzero and written == created)]
        zeros = sum(own[key][1] > 0 for key in left_out)
        if len(own) >= 20 and zeros * 5 > len(own):
            return
        for key in left_out:
            self.rows[key] = (created, 0, True, by)

    def differences(self, held):
        """(what, expected, held) of every row that is not as it should be; `held` as in `Run.stock`."""
        for key, (_, quantity, _, by) in self.rows.items():
            if key not in held:
                yield f"{key[0]} {key[1]}, written by {by}", quantity, "nothing"
            elif held[key] != quantity:
                yield f"{key[0]} {key[1]}, written last by {by}", quantity, held[key]
        for key, quantity in held.items():
            if key[0] in self.aggregates and key not in self.rows:
                yield f"{key[0]} {key[1]}, written by nobody", "nothing", quantity
