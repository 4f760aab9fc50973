"""Shipments and their tracks."""

from .. import shipping
from ..errors import missing
from ..routing import route
from .listing import one, page
from .remarks import declare

SHIPMENT = "Magento_Sales::shipment"


@route("POST", "/V1/order/:orderId/ship", "Magento_Sales::ship")
def ship(shop, call):
    return shipping.request(shop.sales.order(call.number("orderId")), call.body)["entity_id"]


@route("GET", "/V1/shipments", SHIPMENT)
def shipments(shop, call):
    return page(shop, call, shop.sales.shipments)


@route("GET", "/V1/shipment/:id", SHIPMENT)
def single(shop, call):
    return one(shop.sales.shipment(call.number("id")), call)


@route("GET", "/V1/shipment/:id/label", SHIPMENT)
def label(shop, call):
    shop.sales.shipment(call.number("id"))
    return None


@route("POST", "/V1/shipment/track", SHIPMENT)
def track(shop, call):
    asked = call.need("entity")
    found = shop.sales.shipment(int(asked.get("parent_id") or 0))
    added = found.track(asked)
    found.touch()
    return added


@route("DELETE", "/V1/shipment/track/:id", SHIPMENT)
def delete_track(shop, call):
    number = call.number("id")
    found = shop.sales.tracks.pop(number, None)
    if found is None:
        raise missing()
    found.tracks = [track for track in found.tracks if track["entity_id"] != number]
    found.touch()
    return True


declare("/V1/shipment", SHIPMENT, lambda shop, number: shop.sales.shipment(number), "shipment")
