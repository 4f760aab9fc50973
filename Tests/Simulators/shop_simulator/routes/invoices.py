"""Invoices and captures."""

from .. import capturing, invoicing
from ..routing import route
from .listing import one, page
from .remarks import add, declare

INVOICE = "Magento_Sales::invoice"
SALES = "Magento_Sales::sales_invoice"


@route("POST", "/V1/order/:orderId/invoice", INVOICE)
def invoice(shop, call):
    order = shop.sales.order(call.number("orderId"))
    body = call.body
    made = invoicing.request(order, body.get("items"), bool(body.get("capture")), bool(body.get("notify")),
                             body.get("comment"))
    return made["entity_id"]


@route("GET", "/V1/invoices", SALES)
def invoices(shop, call):
    return page(shop, call, shop.sales.invoices)


@route("GET", "/V1/invoices/:id", SALES)
def single(shop, call):
    return one(shop.sales.invoice(call.number("id")), call)


@route("POST", "/V1/invoices/:id/capture", SALES)
def capture(shop, call):
    return capturing.capture(shop.sales.invoice(call.number("id")))


@route("POST", "/V1/invoices/:id/void", SALES)
def void(shop, call):
    return capturing.void(shop.sales.invoice(call.number("id")))


@route("POST", "/V1/invoices/comments", SALES)
def comment(shop, call):
    asked = call.need("entity")
    return add(shop.sales.invoice(int(asked.get("parent_id") or 0)), asked)


declare("/V1/invoices", SALES, lambda shop, number: shop.sales.invoice(number), "invoice")
