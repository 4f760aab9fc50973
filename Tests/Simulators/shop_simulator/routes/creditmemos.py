"""Credit memos."""

from .. import memo_entities, refunding
from ..errors import refused
from ..routing import route
from .listing import one, page
from .remarks import declare

CREATE = "Magento_Sales::creditmemo"
CREDITMEMO = "Magento_Sales::sales_creditmemo"


@route("POST", "/V1/order/:orderId/refund", CREATE)
def refund_order(shop, call):
    return refunding.request(shop.sales.order(call.number("orderId")), call.body)["entity_id"]


@route("POST", "/V1/invoice/:invoiceId/refund", CREATE)
def refund_invoice(shop, call):
    invoice = shop.sales.invoice(call.number("invoiceId"))
    return refunding.request(invoice.order, call.body, invoice)["entity_id"]


@route("POST", "/V1/creditmemo/refund", CREDITMEMO)
def refund_entity(shop, call):
    return memo_entities.refund(shop, call.need("creditmemo"), bool(call.body.get("offlineRequested"))).as_json()


@route("GET", "/V1/creditmemos", CREDITMEMO)
def memos(shop, call):
    return page(shop, call, shop.sales.creditmemos)


@route("GET", "/V1/creditmemo/:id", CREDITMEMO)
def single(shop, call):
    return one(shop.sales.creditmemo(call.number("id")), call)


@route("PUT", "/V1/creditmemo/:id", CREDITMEMO)
def cancel(shop, call):
    shop.sales.creditmemo(call.number("id"))
    raise refused("You can not cancel Credit Memo")


declare("/V1/creditmemo", CREDITMEMO, lambda shop, number: shop.sales.creditmemo(number), "creditmemo")
