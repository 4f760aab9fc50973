"""/V1/orders: reading, and the saves that renumber (magento-rules §3)."""

from .. import importing
from ..addresses import address
from ..errors import missing
from ..routing import route
from ..search import Criteria
from .listing import one, page

VIEW = "Magento_Sales::actions_view"
CREATE = "Magento_Sales::create"


@route("GET", "/V1/orders", VIEW)
def orders(shop, call):
    return page(shop, call, shop.sales.orders)


@route("GET", "/V1/orders/:id", VIEW)
def order(shop, call):
    return one(shop.sales.order(call.number("id")), call)


@route("GET", "/V1/orders/:id/statuses", VIEW)
def status(shop, call):
    return shop.sales.order(call.number("id"))["status"]


@route("GET", "/V1/orders/items", VIEW)
def items(shop, call):
    criteria = Criteria(call.query, shop.settings)
    rows = [item for one in shop.sales.orders.values() for item in one.items]
    found = criteria.select(rows, lambda item, field: item.get(field))
    return {"items": [item.as_json() for item in criteria.cut(found)], "search_criteria": criteria.as_json(),
            "total_count": len(found)}


@route("GET", "/V1/orders/items/:id", VIEW)
def item(shop, call):
    number = call.number("id")
    for one in shop.sales.orders.values():
        if one.item(number) is not None:
            return one.item(number).as_json()
    raise missing()


@route("POST", "/V1/orders", CREATE)
def save(shop, call):
    return importing.save(shop, call.need("entity")).as_json()


@route("PUT", "/V1/orders/create", CREATE)
def create(shop, call):
    return importing.save(shop, call.need("entity")).as_json()


@route("PUT", "/V1/orders/:parent_id", CREATE)
def change_address(shop, call):
    found = shop.sales.order(call.number("parent_id"))
    asked = call.need("entity")
    kind = asked.get("address_type", "shipping")
    before = found["billing_address"] if kind == "billing" else found.shipping_address
    changed = {**(before or address(found, kind, {})), **asked, "parent_id": found["entity_id"]}
    if kind == "billing":
        found["billing_address"] = changed
    else:
        found.shipping_address = changed
    found.touch()
    return changed


@route("POST", "/V1/orders/:id/emails", "Magento_Sales::emails")
def mail(shop, call):
    shop.mails.send("order", shop.sales.order(call.number("id")))
    return True
