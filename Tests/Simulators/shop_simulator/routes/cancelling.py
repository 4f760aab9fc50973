"""Cancelling and holding orders. A cancel that isn't possible is answered 200 `false` (magento-rules §3)."""

from .. import cancelling
from ..routing import route


@route("POST", "/V1/orders/:id/cancel", "Magento_Sales::cancel")
def cancel(shop, call):
    return cancelling.cancel(shop.sales.order(call.number("id")))


@route("POST", "/V1/orders/:id/hold", "Magento_Sales::hold")
def hold(shop, call):
    return cancelling.hold(shop.sales.order(call.number("id")))


@route("POST", "/V1/orders/:id/unhold", "Magento_Sales::unhold")
def unhold(shop, call):
    return cancelling.unhold(shop.sales.order(call.number("id")))
