"""The demo: a FULL snapshot in two parts, and a DELTA that is newer than the FULL in between.

All parts of a FULL carry the moment at which the full run started. MUG-GREEN sells while the run goes on: the DELTA says 7,
part 2 – written earlier, arriving later – still says 25. The 7 has to stay.
"""

from datetime import datetime, timedelta, timezone

from .snapshots import UPDATED

AGGREGATE = "EU-WEB"
# What the store has to hold in the end: SKU → quantity, or None for unlimited.
EXPECTED = {
    "CAP-BLACK": 60,
    "EBOOK-1": None,
    "MUG-BLUE": 38,
    "MUG-GREEN": 7,
    "MUG-RED": 12,
    "SOCKS GREY": 0,
    "TEE-S": 5,
}


def chapters(now=None):
    """[(title, what to look at, snapshot)] in the order in which they are sent."""
    now = now or datetime.now(timezone.utc)
    full = (now - timedelta(seconds=90)).replace(microsecond=0)
    delta = full + timedelta(seconds=60)
    # Both spellings of a date that buses use.
    full_text, delta_text = full.isoformat(), delta.strftime("%Y-%m-%d %H:%M:%S")

    def message(mode, created_on, rows):
        return {"aggregate_id": AGGREGATE, "mode": mode, "created_on": created_on, "stock": rows}

    return [
        (
            "FULL snapshot, part 1",
            "quantities as numbers and as texts, one SKU without a limit",
            message("FULL", full_text, [
                {"sku": "MUG-BLUE", "quantity": 40},
                {"sku": "MUG-RED", "quantity": "12"},
                {"sku": "TEE-S", "quantity": "5", "unlimited": False},
                {"sku": "EBOOK-1", "quantity": 0, "unlimited": True},
            ]),
        ),
        (
            "DELTA",
            "issued while the FULL is on its way, and newer",
            message("DELTA", delta_text, [
                {"sku": "MUG-GREEN", "quantity": "7"},
                {"sku": "MUG-BLUE", "quantity": 38},
            ]),
        ),
        (
            "FULL snapshot, part 2",
            "its MUG-GREEN is older than the DELTA's: stale; a negative quantity counts as 0",
            message("FULL", full_text, [
                {"sku": "MUG-GREEN", "quantity": "25"},
                {"sku": "CAP-BLACK", "quantity": "60"},
                {"sku": "SOCKS GREY", "quantity": -3},
            ]),
        ),
    ]


def play(client, say=print, timeout_s=30):
    """Waits for a registration for stock and sends the chapters. True when every message was taken."""
    endpoint = client.post("/wait", {"timeout_s": timeout_s, "method": UPDATED})
    say(f"registered      {endpoint['id']} at {endpoint['url']}")
    for subscribed in endpoint["subscribes"] or []:
        say(f"  subscribes    {subscribed}")
    for name, value in sorted((endpoint["labels"] or {}).items()):
        say(f"  label         {name}={value}")
    well = True
    for title, remark, snapshot in chapters():
        say("")
        say(f"{title}: {remark}")
        say(f"  created_on    {snapshot['created_on']}")
        for row in snapshot["stock"]:
            quantity = "unlimited" if row.get("unlimited") else repr(row["quantity"]).replace("'", '"')
            say(f"  {row['sku']:<13} {quantity}")
        deliveries = client.post("/stock", snapshot)
        well = well and bool(deliveries)
        if not deliveries:
            say("  nobody subscribes to it")
        for delivery in deliveries:
            well = well and delivery["delivered"]
            say(f"  answer        {_shown(delivery)} in {delivery['seconds'] * 1000:.1f} ms")
    return well


def _shown(delivery):
    if delivery["status"] is None:
        return delivery["failure"]
    reply = delivery["reply"]
    if not isinstance(reply, dict):
        return f"HTTP {delivery['status']}"
    if reply.get("error"):
        return f"HTTP {delivery['status']}, error {reply['error']}"
    result = reply.get("result")
    if not isinstance(result, dict):
        return f"HTTP {delivery['status']}, {result}"
    counts = ", ".join(f"{name} {value}" for name, value in result.items() if not isinstance(value, (list, dict)) and value)
    return f"HTTP {delivery['status']}, {counts}" if counts else f"HTTP {delivery['status']}"
