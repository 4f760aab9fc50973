"""Places an order as a customer would.

    {"lines": [{"sku", "quantity", "price", "tax_rate", "discount" | "discount_percent", "weee",
                "sku_suffix", "decimal",
                "variant": SKU                                  configurable
                "children": [{"sku", "quantity", "price", …}]   bundle (default: the first of each option), grouped
                "gift_card": {"giftcard_recipient_email", …}}],
     "payment": "checkmo", "store": "default", "customer": {"id", "email", "firstname", "lastname", "group_id"},
     "currency": "EUR", "base_currency": "USD", "rate": "0.9", "tax_rate": "19", "prices_include_tax": false,
     "shipping": {"method": "flatrate_flatrate", "description", "amount": "5", "tax_rate", "discount"},
     "gift_cards": [{"code", "amount"}], "customer_balance": "5", "reward": {"points": 100, "amount": "1"},
     "gift_wrap": {"id": 1, "price": "2", "tax": "0.38"}, "charges": {"payment_fee": "1.5"},
     "coupon": {"code", "rules"},
     "payment_data": {"additional_information": [text], "info": {key: value}, "cc_last_4", "cc_type"},
     "billing_address": {…}, "shipping_address": {…}, "gift_message": {…}, "extension": {…},
     "remote_ip": "203.0.113.7",
     "ignore_stock": false}

All amounts are in base currency, and exact: texts, or numbers.
"""

from . import amounts, invoicing, money, payments
from .addresses import address
from .errors import ShopError, refused
from .gateway import GatewayError
from .order_lines import Lines
from .orders import Order
from .sides import sides
from .values import ZERO, decimal


def place(shop, asked, number=None):
    """The new order. `number`: (entity id, increment id) that were drawn before. ShopError when it can't be sold."""
    view = shop.stores.view(asked.get("store", "default"))
    method = asked.get("payment", "checkmo")
    if method not in shop.settings.payment_methods:
        raise ShopError(400, "The requested Payment Method is not available.")
    entity_id, increment = number or draw(shop, view)
    order = Order(shop, _head(shop, asked, view, entity_id, increment))
    lines = Lines(order, asked)
    for line in asked["lines"]:
        lines.add(line)
    movements = _movements(order)
    if not asked.get("ignore_stock"):
        shop.stock.check(movements, order.website)
    _addresses(order, asked)
    _shipping(order, asked)
    money.charges(order, asked)
    money.totals(order)
    money.tenders(order, asked)
    order.extension.update(asked.get("extension") or {})
    if asked.get("gift_message"):
        order.extension["gift_message"] = asked["gift_message"]
    payments.begin(order, method, asked)
    order.asked = asked
    order.comment("", notified=1)
    try:
        _pay(order)
    except GatewayError:
        raise refused("Transaction has been declined. Please try again later.") from None
    shop.sales.orders[entity_id] = order
    shop.stock.ordered(order, order.website, movements)
    order.touch()
    shop.mails.send("order", order)
    return order


def draw(shop, view):
    """The numbers of an order that is going to be placed."""
    return shop.sales.next("order"), shop.sales.increment("order", view["id"])


def _head(shop, asked, view, entity_id, increment):
    customer = asked.get("customer") or {}
    base = asked.get("base_currency", view.get("base_currency_code", "USD"))
    currency = asked.get("currency", view.get("default_display_currency_code", base) if "base_currency" not in asked
                         else base)
    rate = decimal(asked.get("rate", 1), "rate")
    name = {key: customer.get(key, usual) for key, usual in (("firstname", "Ann"), ("lastname", "Example"))}
    head = {
        "entity_id": entity_id, "increment_id": increment, "store_id": view["id"], "store_name": view["name"],
        "quote_id": entity_id, "remote_ip": asked.get("remote_ip", "203.0.113.7"), "protect_code": f"{entity_id:032x}",
        "base_currency_code": base, "global_currency_code": base, "store_currency_code": base,
        "order_currency_code": currency,
        "base_to_order_rate": rate, "base_to_global_rate": 1, "store_to_base_rate": 0, "store_to_order_rate": 0,
        "customer_is_guest": int("id" not in customer),
        "customer_group_id": customer.get("group_id", int("id" in customer)),
        "customer_email": customer.get("email", "ann@example.com"), "customer_firstname": name["firstname"],
        "customer_lastname": name["lastname"], "customer_note_notify": 1, "email_sent": 1, "is_virtual": 0}
    if "id" in customer:
        head["customer_id"] = customer["id"]
    coupon = asked.get("coupon") or {}
    if coupon:
        head.update(coupon_code=coupon.get("code"), discount_description=coupon.get("description", coupon.get("code")),
                    applied_rule_ids=coupon.get("rules", "1"))
    return head


def _pay(order):
    """The payment method's action at checkout: nothing, an authorisation, or an invoice with a capture."""
    action = order.method.action
    if action is not None:
        order.set_state("processing")
    if action == "authorize":
        payments.authorize(order)
    elif action == "authorize_capture":
        invoicing.invoice(order, {}, capture=True)


def _addresses(order, asked):
    billing = asked.get("billing_address") or {}
    order["is_virtual"] = int(all(item["is_virtual"] for item in order.items))
    order["billing_address"] = address(order, "billing", billing)
    order["billing_address_id"] = order["billing_address"]["entity_id"]
    if not order["is_virtual"]:
        order.shipping_address = address(order, "shipping", asked.get("shipping_address") or billing)


def _shipping(order, asked):
    shipping = {} if order["is_virtual"] else {"method": "flatrate_flatrate", "amount": "5",
                                               **(asked.get("shipping") or {})}
    settings = order.shop.settings
    order.shipping_rate = decimal(shipping.get("tax_rate", asked.get("tax_rate", 0) if shipping else 0), "tax_rate")
    for side in sides(order):
        rate = decimal(order["base_to_order_rate"]) if side.prefix == "" else 1
        values = amounts.shipping(
            decimal(shipping.get("amount")) * rate, order.shipping_rate,
            asked.get("shipping_includes_tax", settings.shipping_includes_tax),
            decimal(shipping.get("discount")) * rate, side.places)
        order.data.update((side(name), value) for name, value in values.items())
    if shipping:
        order["shipping_method"] = shipping["method"]
        order["shipping_description"] = shipping.get("description", "Flat Rate - Fixed")


def _movements(order):
    """What the order takes from the shelf: of every product that is none of a parent."""
    sums = {}
    for item in order.items:
        if item.has_stock:
            sums[item.stock_sku()] = sums.get(item.stock_sku(), ZERO) + item["qty_ordered"]
    return list(sums.items())
