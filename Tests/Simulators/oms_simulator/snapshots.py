"""Aggregate stock snapshots as an OMS writes them."""

UPDATED = "magento.inventory.aggregate_stock_management.updated"
MODES = ("FULL", "DELTA", "NONZERO")


def row(sku, quantity, unlimited=None):
    """One row. The quantity is written as it comes, number or text: buses send both."""
    entry = {"sku": sku, "quantity": quantity}
    if unlimited is not None:
        entry["unlimited"] = unlimited
    return entry


def snapshot(aggregate_id, mode, created_on, rows):
    """The params of one message. `rows`: dicts, or (sku, quantity[, unlimited])."""
    stock = [entry if isinstance(entry, dict) else row(*entry) for entry in rows]
    return {"snapshot": {"aggregate_id": aggregate_id, "mode": mode, "created_on": created_on, "stock": stock}}


def snapshot_parts(aggregate_id, mode, created_on, rows, parts):
    """The same rows in `parts` messages of about the same size that share one created_on."""
    if parts < 1:
        raise ValueError(f"parts: {parts} is not 1 or more")
    rows = list(rows)
    size = max(1, -(-len(rows) // parts))
    return [snapshot(aggregate_id, mode, created_on, rows[i : i + size]) for i in range(0, len(rows), size)]
