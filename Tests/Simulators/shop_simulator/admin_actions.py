"""What the control interface can do in place of the people who use the shop's administration."""

from . import cancelling, editing, invoicing, refunding, returns, shipping
from .actions import action
from .values import decimal


def _order(shop, asked):
    return shop.sales.by_increment(asked["increment_id"])


@action("POST", "edit-order")
def edit(shop, _, asked):
    """{increment_id, …}: what is different at checkout. The new order."""
    return editing.edit(_order(shop, asked), {k: v for k, v in asked.items() if k != "increment_id"}).as_json()


@action("POST", "invoice")
def invoice(shop, _, asked):
    """{increment_id, items, capture}"""
    return invoicing.request(_order(shop, asked), asked.get("items"), asked.get("capture", False)).as_json()


@action("POST", "ship")
def ship(shop, _, asked):
    """{increment_id, items, tracks, arguments}"""
    return shipping.request(_order(shop, asked), asked).as_json()


@action("POST", "refund")
def refund(shop, _, asked):
    """{increment_id, items, arguments}; {invoice_id, isOnline} for one through an invoice"""
    through = shop.sales.invoice(asked["invoice_id"]) if "invoice_id" in asked else None
    return refunding.request(through.order if through else _order(shop, asked), asked, through).as_json()


@action("POST", "cancel")
def cancel(shop, _, asked):
    """{increment_id}"""
    return cancelling.cancel(_order(shop, asked))


@action("POST", "hold")
def hold(shop, _, asked):
    """{increment_id[, release: true]}"""
    return (cancelling.unhold if asked.get("release") else cancelling.hold)(_order(shop, asked))


@action("POST", "status")
def status(shop, _, asked):
    """{increment_id, state, status}: as a module would set it"""
    order = _order(shop, asked)
    order.set_state(asked.get("state", order["state"]), asked.get("status"))
    order.comment("")
    order.touch()
    return {"state": order["state"], "status": order["status"]}


@action("POST", "return")
def create_return(shop, _, asked):
    """{increment_id, items: [{order_item_id, qty_requested, reason, condition, resolution}]}: a customer asks for a
    return"""
    return returns.create(shop, {**asked, "order_id": _order(shop, asked)["entity_id"]}).as_json()


@action("POST", "stock")
def stock(shop, _, asked):
    """{sku, quantity[, source]} | {sku, item: {qty, manage_stock, …}}"""
    if "item" in asked:
        shop.stock.items.change(asked["sku"], asked["item"])
    elif "source" in asked:
        quantity = decimal(asked["quantity"])
        shop.stock.msi.put(asked["source"], asked["sku"], quantity, int(asked.get("status", quantity > 0)))
    else:
        shop.stock.items.change(asked["sku"], {"qty": asked["quantity"]})
    return {}
