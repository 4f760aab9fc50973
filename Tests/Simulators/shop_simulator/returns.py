"""Returns (RMA, commercial edition): what may be returned, and how a return moves on (magento-rules §3, magento-rest
§6)."""

from .documents import number
from .entities import Entity
from .errors import not_found, refused, required
from .values import ZERO, decimal

NEVER_RETURNED = ("virtual", "downloadable", "giftcard")
# In the order in which an item moves on; the last four are final.
ITEM_STATUSES = ("pending", "authorized", "received", "approved", "rejected", "denied")
FINAL = ("approved", "rejected", "denied")
STATUSES = ("pending", "authorized", "partial_authorized", "received", "received_on_item", "approved",
            "approved_on_item",
            "rejected", "rejected_on_item", "denied", "closed", "processed_closed")
QUANTITIES = ("qty_requested", "qty_authorized", "qty_returned", "qty_approved")
# attribute → its options, by id
METADATA = {
    "reason": {"1": "Wrong Color", "2": "Wrong Size", "3": "Out of Service"},
    "condition": {"4": "Unopened", "5": "Opened", "6": "Damaged"},
    "resolution": {"7": "Exchange", "8": "Refund", "9": "Store Credit"},
}


class Return(Entity):
    def __init__(self, shop, data):
        super().__init__(shop, data)
        self.items, self.tracks, self.comments = [], [], []

    def as_json(self):
        return {**super().as_json(), "items": self.items, "tracks": self.tracks, "comments": self.comments,
                "custom_attributes": self.get("custom_attributes") or []}


def create(shop, asked):
    """A customer's or an administrator's return. Returns it."""
    if asked.get("order_id") is None:
        raise required("order_id")
    order = shop.sales.order(int(asked["order_id"]))
    if not asked.get("items"):
        raise refused("You cannot create a return without items.")
    items = [_item(order, entry) for entry in asked["items"]]
    made = Return(shop, {
        "order_id": order["entity_id"], "order_increment_id": order["increment_id"], "store_id": order["store_id"],
        "customer_id": order.get("customer_id"), "date_requested": shop.clock.text(), "status": "pending",
        "customer_custom_email": asked.get("customer_custom_email"),
        "custom_attributes": asked.get("custom_attributes") or []})
    number(made, "rma")
    for item in items:
        item["entity_id"], item["rma_entity_id"] = shop.sales.next("rma item"), made["entity_id"]
    made.items = items
    for comment in asked.get("comments") or ():
        add_comment(made, comment)
    for track in asked.get("tracks") or ():
        add_track(made, track)
    _settle(made, asked)
    shop.sales.returns.add(made, made["entity_id"])
    made.touch()
    return made


def change(made, asked):
    """Quantities and statuses only move forward."""
    for entry in asked.get("items") or ():
        item = next((one for one in made.items if str(one["entity_id"]) == str(entry.get("entity_id"))), None)
        if item is None:
            raise not_found("entity_id", entry.get("entity_id"))
        _forward(item, entry)
    _settle(made, asked)
    made.touch()
    return made


def add_comment(made, asked):
    if not asked.get("comment"):
        raise required("comment")
    made.comments.append({
        "comment": asked["comment"], "rma_entity_id": made["entity_id"], "created_at": made.shop.clock.text(),
        "entity_id": made.shop.sales.next("rma comment"), "customer_notified": bool(asked.get("customer_notified")),
        "visible_on_front": bool(asked.get("visible_on_front")), "status": made["status"],
        "admin": bool(asked.get("admin", True))})
    made.touch()


def add_track(made, asked):
    if not asked.get("track_number"):
        raise required("track_number")
    made.tracks.append({
        "entity_id": made.shop.sales.next("rma track"), "rma_entity_id": made["entity_id"],
        "track_number": asked["track_number"],
        "carrier_title": asked.get("carrier_title"), "carrier_code": asked.get("carrier_code", "custom")})
    made.touch()


def _item(order, asked):
    item = order.item(int(asked.get("order_item_id") or 0))
    if item is None or item["product_type"] in NEVER_RETURNED or item["is_virtual"]:
        raise refused("The order item %1 can't be returned.", asked.get("order_item_id"))
    wanted = decimal(asked.get("qty_requested"), "qty_requested")
    returned = sum((entry["qty_requested"] for made in order.shop.sales.returns.of(order)
                    for entry in made.items if entry["order_item_id"] == item.id and entry["status"] != "denied"), ZERO)
    if wanted <= 0 or wanted > item["qty_shipped"] - returned:
        raise refused("A quantity of %1 is greater than you can return.", item["name"])
    result = {"order_item_id": item.id, "product_name": item["name"], "product_sku": item["sku"], "status": "pending",
              **dict.fromkeys(QUANTITIES, None), "qty_requested": wanted,
              **{name: asked.get(name) for name in METADATA},
              "extension_attributes": asked.get("extension_attributes") or {}}
    for name, options in METADATA.items():
        if str(result[name]) not in options:
            raise refused('"%1" is not one of the options of "%2".', result[name], name)
    if asked.get("status", "pending") != "pending":
        _forward(result, asked)
    return result


def _forward(item, asked):
    """Requested, authorized, returned, approved: each at most the one before, and none falls."""
    status = asked.get("status", item["status"])
    if status not in ITEM_STATUSES:
        raise refused('The status "%1" is unknown.', status)
    if item["status"] in FINAL and status != item["status"]:
        raise refused("The item is %1 and can't be changed any more.", item["status"])
    if ITEM_STATUSES.index(status) < ITEM_STATUSES.index(item["status"]):
        raise refused("The status can't go back from %1 to %2.", item["status"], status)
    values = {name: decimal(asked[name], name) if asked.get(name) is not None else item[name] for name in QUANTITIES}
    before = None
    for name in QUANTITIES:
        value = values[name] or 0
        if value < (item[name] or 0) or (before is not None and value > (values[before] or 0)):
            raise refused("The %1 quantity doesn't fit to the others.", name)
        before = name
    item.update(values, status=status)
    for name in METADATA:
        item[name] = asked.get(name, item[name])


def _settle(made, asked):
    """The status of the return: that of its items, unless one is asked for."""
    status = asked.get("status")
    if status is not None and status not in STATUSES:
        raise refused('The status "%1" is unknown.', status)
    asked_to_close = status in ("closed", "processed_closed")
    made["status"] = status if asked_to_close else of_items([item["status"] for item in made.items])


def of_items(statuses):
    """What the return is when its items are so."""
    kinds = set(statuses)
    if kinds == {"denied"}:
        return "closed"
    if len(kinds) == 1:
        return statuses[0]
    if kinds <= set(FINAL):
        return "processed_closed"
    for status, partly in (("approved", "approved_on_item"), ("rejected", "rejected_on_item"),
                           ("received", "received_on_item"),
                           ("authorized", "partial_authorized")):
        if status in kinds:
            return partly
    return "pending"
