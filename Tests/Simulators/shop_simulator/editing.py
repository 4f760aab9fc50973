"""What people do in the shop's own administration."""

from . import cancelling, checkout
from .errors import refused
from .order_rules import is_held


def edit(order, changes):
    """An administrator edits an order: it is cancelled, and a new one with -1, -2 … behind the number takes its place
    (magento-rules §6). `changes`: what is different at checkout. Returns the new order."""
    if is_held(order) or order["state"] in ("canceled", "complete", "closed") or \
            any(item["qty_invoiced"] or item["qty_shipped"] for item in order.items):
        raise refused("The order can't be edited: it is %1, or invoiced, or shipped.", order["state"])
    shop = order.shop
    first = order.get("original_increment_id") or order["increment_id"]
    edited = (order.get("edit_increment") or 0) + 1
    cancelling.cancel(order)
    number = (shop.sales.next("order"), f"{first}-{edited}")
    made = checkout.place(shop, {**order.asked, **changes}, number)
    made.data.update(original_increment_id=first, edit_increment=edited, relation_parent_id=order["entity_id"],
                     relation_parent_real_id=order["increment_id"])
    order.data.update(relation_child_id=made["entity_id"], relation_child_real_id=made["increment_id"])
    made.touch()
    order.touch()
    return made
