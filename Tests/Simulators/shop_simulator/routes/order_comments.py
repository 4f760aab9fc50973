"""Comments, and with them statuses."""

from ..errors import ShopError
from ..routing import route


@route("GET", "/V1/orders/:id/comments", "Magento_Sales::actions_view")
def comments(shop, call):
    found = list(reversed(shop.sales.order(call.number("id")).comments))
    return {"items": found, "search_criteria": {"filter_groups": []}, "total_count": len(found)}


@route("POST", "/V1/orders/:id/comments", "Magento_Sales::comment")
def comment(shop, call):
    order = shop.sales.order(call.number("id"))
    asked = call.need("statusHistory")
    status = asked.get("status")
    # 2.2 takes any status; later ones only those that are assigned to the state.
    if status and not shop.settings.old and order["state"] not in shop.settings.statuses.get(status, ()):
        raise ShopError(400, 'Unable to add comment: The status "%1" is not part of the order status history.',
                        [status])
    if status:
        order["status"] = status
    notified = int(bool(asked.get("is_customer_notified")))
    order.comment(asked.get("comment") or "", status, notified, int(bool(asked.get("is_visible_on_front"))))
    order.touch()
    if notified:
        shop.mails.send("comment", order)
    return True
