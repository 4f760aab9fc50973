"""Shipments (magento-rules §2)."""

from .documents import number
from .entities import Remarked
from .errors import invalid, refused, required
from .invoicing import quantities_of
from .msi import DEFAULT
from .order_rules import is_held, save
from .values import ZERO, decimal


class Shipment(Remarked):
    def __init__(self, order, quantities):
        super().__init__(order.shop, {
            "order_id": order["entity_id"], "store_id": order["store_id"],
            "billing_address_id": order["billing_address_id"],
            "shipping_address_id": order.shipping_address and order.shipping_address["entity_id"], "packages": []})
        self.order = order
        self.lines = [{
            "order_item_id": item.id, "product_id": item["product_id"], "sku": item["sku"], "name": item["name"],
            "price": item["price"], "weight": item["weight"], "qty": quantity} for item, quantity in quantities]
        self.tracks = []
        self.source = None

    def track(self, asked):
        if not asked.get("track_number"):
            raise invalid("Shipment", ["Please enter a tracking number."])
        if not asked.get("carrier_code"):
            raise required("carrier_code")
        track = {
            "entity_id": self.shop.sales.next("track"), "order_id": self["order_id"], "parent_id": self["entity_id"],
            "track_number": str(asked["track_number"]), "title": asked.get("title"),
            "carrier_code": asked["carrier_code"],
            "description": asked.get("description"), "qty": decimal(asked.get("qty")),
            "weight": decimal(asked.get("weight")),
            "created_at": self.shop.clock.text(), "updated_at": self.shop.clock.text()}
        self.tracks.append(track)
        self.shop.sales.tracks[track["entity_id"]] = self
        return track

    def as_json(self):
        extension = {"source_code": self.source} if self.source else {}
        return {**super().as_json(), "items": self.lines, "tracks": self.tracks, "comments": self.comments,
                "extension_attributes": extension}


def request(order, body):
    """POST /V1/order/:id/ship. Returns the shipment."""
    shop = order.shop
    messages = _refusals(order)
    asked = quantities_of(body.get("items"))
    quantities = planned(order, asked)
    if not any(quantity > 0 for item, quantity in quantities if not item.is_shipping_dummy):
        messages.append("You can't create a shipment without products.")
    tracks = body.get("tracks") or []
    if any(not track.get("track_number") for track in tracks):
        messages.append("Please enter a tracking number.")
    if messages:
        raise invalid("Shipment", messages)
    movements = _movements(quantities)
    source = _source(shop, body)
    shop.stock.check_shipment(order.website, movements, source)
    shipment = Shipment(order, quantities)
    number(shipment, "shipment")
    for line in shipment.lines:
        line["entity_id"], line["parent_id"] = shop.sales.next("shipment item"), shipment["entity_id"]
    shipment["total_qty"] = sum((quantity for item, quantity in quantities if not item.is_shipping_dummy), ZERO)
    shipment["packages"] = body.get("packages") or []
    shipment.source = source if shop.settings.msi else None
    for track in tracks:
        shipment.track(track)
    comment = body.get("comment") or {}
    if comment.get("comment"):
        shipment.comment(comment["comment"], int(bool(body.get("notify"))),
                         int(bool(comment.get("is_visible_on_front"))))
    for item, quantity in quantities:
        item["qty_shipped"] += quantity
    shop.stock.shipped(order, order.website, movements, source)
    shop.sales.shipments.add(shipment, shipment["entity_id"])
    shipment.touch()
    if order["state"] == "new":  # the only state that it leaves, and the only status that it resets
        order.set_state("processing")
    save(order)
    if body.get("notify"):
        shop.mails.send("shipment", order, shipment)
    return shipment


def planned(order, asked):
    """[(item, quantity)]. More than is left is clamped silently, unknown items are ignored, fractions are cut."""
    result = []
    for item in order.items:
        if item.is_shipping_dummy or item["is_virtual"]:
            continue
        if asked and item.id not in asked:
            continue
        quantity = item.whole(min(asked.get(item.id, item.to_ship), item.to_ship))
        if quantity <= 0:
            continue
        result.append((item, quantity))
        # Of a bundle that ships together, its children's units go along. A variant's are those of its parent.
        for child in item.children:
            if item["product_type"] == "bundle" and not child["is_virtual"]:
                result.append((child, child.whole(min(child.per_parent * quantity, child.simple_to_ship))))
    return result


def _refusals(order):
    if is_held(order) or order["state"] == "canceled":
        return [f"A shipment cannot be created when an order has a status of {order['status']}"]
    if not any(item.to_ship > 0 and not item["is_virtual"] for item in order.items):
        return ["The order does not allow a shipment to be created."]
    return []


def _movements(quantities):
    """What leaves the shelf."""
    sums = {}
    for item, quantity in quantities:
        if item.children:
            if item["product_type"] == "bundle":
                continue  # its children are there themselves
            item = item.children[0]
        sums[item.stock_sku()] = sums.get(item.stock_sku(), ZERO) + quantity
    return [(sku, quantity) for sku, quantity in sums.items() if quantity]


def _source(shop, body):
    """The source that a call names; without one the default source, however many there are."""
    extension = (body.get("arguments") or {}).get("extension_attributes") or {}
    source = extension.get("source_code")
    if source and not shop.settings.msi:
        raise refused('Property "SourceCode" does not have accessor method "getSourceCode" in class '
                      '"Magento\\Sales\\Api\\Data\\ShipmentCreationArgumentsExtensionInterface".')
    return source or DEFAULT
