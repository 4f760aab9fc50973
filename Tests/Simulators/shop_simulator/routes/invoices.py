"""Invoices and captures."""

from .. import capturing, invoicing
from ..routing import route
from .listing import page

INVOICE = "Magento_Sales::invoice"
SALES = "Magento_Sales::sales_invoice"


@route("POST", "/V1/order/:orderId/invoice", INVOICE)
def invoice(shop, call):
    order = shop.sales.order(call.number("orderId"))
    body = call.body
    made = invoicing.request(order, body.get("items"), bool(body.get("capture")), bool(body.get("notify")),
                             body.get("comment") if body.get("appendComment") or body.get("comment") else None)
    return made["entity_id"]


@route("GET", "/V1/invoices", SALES)
def invoices(shop, call):
    return page(shop, call, shop.sales.invoices)


@route("GET", "/V1/invoices/:id", SALES)
def one(shop, call):
    return shop.sales.invoice(call.number("id")).as_json()


@route("POST", "/V1/invoices/:id/capture", SALES)
def capture(shop, call):
    return capturing.capture(shop.sales.invoice(call.number("id")))


@route("POST", "/V1/invoices/:id/void", SALES)
def void(shop, call):
    return capturing.void(shop.sales.invoice(call.number("id")))


@route("POST", "/V1/invoices/:id/emails", SALES)
def mail(shop, call):
    found = shop.sales.invoice(call.number("id"))
    shop.mails.send("invoice", found.order, found)
    return True


@route("POST", "/V1/invoices/comments", SALES)
def comment(shop, call):
    asked = call.need("entity")
    found = shop.sales.invoice(int(asked["parent_id"]))
    added = found.comment(asked["comment"], int(bool(asked.get("is_customer_notified"))), int(bool(asked.get("is_visible_on_front"))))
    found.touch()
    return added


@route("GET", "/V1/invoices/:id/comments", SALES)
def comments(shop, call):
    found = shop.sales.invoice(call.number("id")).comments
    return {"items": found, "search_criteria": {"filter_groups": []}, "total_count": len(found)}
