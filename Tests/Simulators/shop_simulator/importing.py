"""Saving an order as a whole, through POST /V1/orders: what is given replaces what is there, and nothing is calculated.

It is the wrong way to change a state: without increment_id the order gets a new number, and `canceled` cancels no item
and gives back no stock (magento-rules §3).
"""

from .orders import Order
from .values import ZERO, decimal

CHANGEABLE = ("state", "status", "customer_email", "customer_note", "x_forwarded_for", "ext_order_id",
              "hold_before_state",
              "hold_before_status")


def save(shop, entity):
    number = entity.get("entity_id")
    order = shop.sales.order(int(number)) if number else _new(shop, entity)
    order["increment_id"] = entity.get("increment_id") or shop.sales.increment("order", order["store_id"])
    for name in CHANGEABLE:
        if name in entity:
            order[name] = entity[name]
    order.extension.update(entity.get("extension_attributes") or {})
    order.touch()
    return order


def _new(shop, entity):
    """An imported order: without stock, payment or mail."""
    view = shop.stores.view(entity.get("store_id", "default"))
    amounts = {f"{side}{name}": ZERO for side in ("", "base_") for name in (
        "grand_total", "subtotal", "shipping_amount", "shipping_incl_tax", "shipping_tax_amount",
        "shipping_discount_amount",
        "tax_amount", "discount_amount")}
    given = {k: decimal(v) if k in amounts else v for k, v in entity.items()
             if not isinstance(v, (dict, list)) and k != "entity_id"}
    order = Order(shop, {
        **amounts, "store_id": view["id"], "state": "new", "status": "pending", "is_virtual": 0, "customer_email": None,
        "order_currency_code": "USD", "base_currency_code": "USD", "base_to_order_rate": 1, "total_qty_ordered": ZERO,
        "shipping_method": None, "billing_address": entity.get("billing_address"),
        "payment": entity.get("payment") or {"method": "checkmo"}, **given, "entity_id": shop.sales.next("order")})
    order["shipping_method"] = entity.get("shipping_method")
    shop.sales.orders[order["entity_id"]] = order
    return order
