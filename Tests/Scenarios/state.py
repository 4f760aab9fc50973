"""What there is in the end, without what differs from telling to telling: ids, times, and the order in which things came."""

from decimal import Decimal


MONEY = ("grand_total", "total_invoiced", "total_paid", "total_refunded", "total_canceled", "total_due", "shipping_invoiced",
         "shipping_refunded", "adjustment_positive", "adjustment_negative")
UNITS = ("qty_ordered", "qty_invoiced", "qty_shipped", "qty_canceled", "qty_refunded")


def end(world, order):
    """Of one order what the shop has, what the connector knows, and what the OMS was told."""
    return {"shop": shop(order), "connector": connector(order), "told": told(world, order.id)}


def shop(order):
    seen = order.seen()
    return {
        "state": seen["order"]["state"], "status": seen["order"]["status"],
        "money": {name: _number(seen["order"].get(name)) for name in MONEY},
        "items": [(item["sku"], {name: _number(item[name]) for name in UNITS}) for item in seen["order"]["items"]],
        # Which of two invoices has the shipping depends on which came first: their sum is above.
        **{kind: [{name: value for name, value in each.items() if kind != "invoices" or name != "total"}
                  for each in found] for kind, found in documents(seen).items()},
        "transactions": sorted((each["txn_type"], bool(each["is_closed"])) for each in seen["transactions"]),
        "gateway": sorted(each["operation"] for each in seen["gateway"] if not each["refused"]),
        "gateway money": {name: str(sum((_decimal(each["amount"]) for each in seen["gateway"]
                                         if each["operation"] == name and not each["refused"]), Decimal(0)).normalize())
                          for name in ("capture", "refund")},
        "returns": sorted((each["status"], sorted((item["product_sku"], item["status"]) for item in each["items"]))
                          for each in seen["returns"]),
    }


def documents(seen):
    """Of each invoice, shipment and credit memo what is in it: {"items": {SKU: units}, …}; the same whichever came first."""
    # A configurable product is its variant: two items with one SKU, of which the parent counts.
    skus = {item["item_id"]: item["sku"] for item in seen["order"]["items"]
            if (item.get("parent_item") or {}).get("product_type") != "configurable"}
    increment = seen["order"]["increment_id"]

    def items(document):
        result = {}
        for line in document["items"]:
            if line["qty"] and line["order_item_id"] in skus:
                sku = skus[line["order_item_id"]]
                result[sku] = str(_decimal(result.get(sku)) + _decimal(line["qty"]))
        return {sku: _number(quantity) for sku, quantity in result.items()}

    invoices = [{"items": items(each), "total": _number(each["grand_total"]), "state": each["state"],
                 "captured": bool(each.get("transaction_id"))} for each in seen["invoices"]]
    shipments = [{"items": items(each), "source": (each["extension_attributes"] or {}).get("source_code"),
                  "tracks": sorted((track["track_number"].replace(increment, "N"), track["title"]) for track in each["tracks"])}
                 for each in seen["shipments"]]
    memos = [{"items": items(each), "total": _number(each["grand_total"]), "shipping": _number(each["shipping_amount"]),
              "adjustment": _number(each["adjustment"]), "online": bool(each.get("transaction_id"))}
             for each in seen["creditmemos"]]
    return {name: sorted(found, key=repr) for name, found in (
        ("invoices", invoices), ("shipments", shipments), ("creditmemos", memos))}


def connector(order):
    known = order.known()
    return {
        "exported": known["export_state"], "oms_status": known.get("oms_status"),
        "attention": known.get("needs_attention", False),
        "lines": [{name: line.get(name) for name in ("line_number", "sku", "status", "shipped", "cancelled")}
                  for line in known["lines"]],
        "documents": sorted(each["kind"] for each in known.get("documents", ())),
        "attributes": sorted((each["name"], each["value"]) for each in known.get("attributes", ()))}


def told(world, increment):
    """How many messages of each method the OMS got for that order."""
    counts = {}
    for message in world.oms.received.all():
        if _names(message["params"], increment):
            counts[message["method"]] = counts.get(message["method"], 0) + 1
    return counts


def _names(params, increment):
    """Whether a message is about that order."""
    for name, value in params.items():
        if (name in ("id", "order_id") and value == increment) or (isinstance(value, dict) and _names(value, increment)):
            return True
    return False


def _decimal(value):
    return Decimal(str(value or 0))


def _number(value):
    """A number as a text that is the same for the same value."""
    return f"{_decimal(value).normalize():f}"
