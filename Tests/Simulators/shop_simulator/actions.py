"""What the control interface can do, one function each."""

from dataclasses import dataclass, fields

from . import checkout, csv_import, csv_orders, state
from .clock import seconds
from .values import decimal

ACTIONS = {}


@dataclass(frozen=True)
class Action:
    carry_out: object  # (shop, rest of the path, body or query) → answer
    waits: bool = False


def action(verb, name, waits=False):
    def declare(function):
        ACTIONS[verb, name] = Action(function, waits)
        return function

    return declare


def find(verb, name):
    """The action, or None."""
    return ACTIONS.get((verb, name))


@action("GET", "state")
def show(shop, *_):
    return {"url": shop.url, "clock": shop.clock.text(), "products": len(shop.catalog.all()),
            "orders": len(shop.sales.orders),
            "requests": len(shop.requests.all()), "faults_through": shop.faults.is_through}


@action("GET", "requests")
def requests(shop, *_):
    return [{**entry.as_json(), "body": entry.body.decode("utf-8", "replace")} for entry in shop.requests.all()]


@action("POST", "requests")
def clear_requests(shop, *_):
    """{}: forgets them."""
    shop.requests.clear()
    return {}


@action("POST", "wait-requests", waits=True)
def wait_requests(shop, _, asked):
    """{verb, path (from its start, after /rest/CODE), count, timeout_s}: until so many requests of the kind have
    come."""
    def matching(entries):
        return [e for e in entries if e.verb == asked.get("verb", e.verb) and asked.get("path", "") in e.path]

    found = shop.requests.wait(lambda entries: len(matching(entries)) >= asked.get("count", 1),
                               asked.get("timeout_s", 30))
    return [entry.as_json() for entry in matching(found)]


@action("GET", "settings")
def settings(shop, *_):
    hidden = ("tokens", "consumers", "admins", "payment_methods")
    return {f.name: getattr(shop.settings, f.name) for f in fields(shop.settings) if f.name not in hidden}


@action("POST", "settings")
def change_settings(shop, _, asked):
    """Those of `Settings`."""
    shop.settings.change(**asked)
    shop.bulks.wake()
    return {}


@action("POST", "load")
def load(shop, _, asked):
    """{stores: {…}, sources: [{source_code, …}], stocks: [{stock_id, name, websites: [code], sources: [code]}],
    attributes: [{code, label, type, options}], products: [{sku, …}], source_items: [{sku, source_code, quantity,
    status}]}, in this order."""
    if "stores" in asked:
        shop.stores.load(asked["stores"])
    msi = shop.stock.msi
    for source in asked.get("sources", ()):
        msi.save_source(source)
    for stock in asked.get("stocks", ()):
        number = msi.save_stock({"stock_id": stock.get("stock_id"), "name": stock.get("name", "Stock"),
                                 "extension_attributes": {
            "sales_channels": [{"type": "website", "code": code} for code in stock.get("websites", ())]}})
        for priority, code in enumerate(stock.get("sources", ()), 1):
            msi.link({"stock_id": number, "source_code": code, "priority": priority})
    for attribute in asked.get("attributes", ()):
        shop.catalog.attributes.put(
            attribute["code"], attribute.get("label"), attribute.get("type", "text"), attribute.get("options", ()))
    for product in asked.get("products", ()):
        shop.catalog.put(product)
    for row in asked.get("source_items", ()):
        msi.put(row["source_code"], row["sku"], decimal(row["quantity"]), int(row.get("status", 1)))
    return {"products": len(shop.catalog.all())}


@action("POST", "csv")
def csv(shop, _, asked):
    """{path}: a product CSV of Magento, or of its sample data. Answers how many products it had."""
    return {"products": csv_import.load(shop, asked["path"])}


@action("POST", "orders-csv")
def orders_csv(shop, _, asked):
    """{orders, customers, tax_rates}: paths of CSVs as in Magento's sample data. The orders."""
    placed = csv_orders.place(shop, asked["orders"], asked.get("customers"), asked.get("tax_rates"))
    return [{"order": order.as_json(), "refund": refund} for order, refund in placed]


@action("POST", "generate")
def generate(shop, _, asked):
    """{count, prefix, price}: so many simple products."""
    for number in range(1, int(asked["count"]) + 1):
        shop.catalog.put({
            "sku": f"{asked.get('prefix', 'SKU')}-{number:06d}", "name": f"Product {number}",
            "price": asked.get("price", "10"),
            "weight": "1", "attributes": {"description": f"Description of product {number}",
                                          "url_key": f"product-{number}"}})
    return {"products": len(shop.catalog.all())}


@action("POST", "checkout")
def place(shop, _, asked):
    """See checkout.py. The order; with "uncommitted": true, {transaction, entity_id, increment_id} of one that nobody
    sees yet."""
    if not asked.get("uncommitted"):
        return checkout.place(shop, asked).as_json()
    number = checkout.draw(shop, shop.stores.view(asked.get("store", "default")))
    held = shop.uncommitted.hold(lambda: checkout.place(shop, asked, number).as_json())
    return {"transaction": held, "entity_id": number[0], "increment_id": number[1]}


@action("POST", "commit")
def commit(shop, _, asked):
    """{transaction}: what the held statement gives; {transaction, roll_back: true} forgets it."""
    if asked.get("roll_back"):
        return shop.uncommitted.roll_back(asked["transaction"])
    return shop.uncommitted.commit(asked["transaction"])


@action("POST", "product")
def product(shop, _, asked):
    """{sku, …} creates or changes (see `Product.change`); {sku, delete: true}; {sku, rename: new SKU}; with
    "uncommitted": true later."""
    if asked.get("uncommitted"):
        return {"transaction": shop.uncommitted.hold(lambda: product(shop, _, {**asked, "uncommitted": False}))}
    if asked.get("delete"):
        return shop.catalog.delete(asked["sku"])
    if "rename" in asked:
        return shop.catalog.rename(asked["sku"], asked["rename"]).as_json(0)
    return shop.catalog.put(asked).as_json(0)


@action("POST", "clock")
def clock(shop, _, asked):
    """{move_s} | {fix: seconds since 1970 or "YYYY-MM-DD HH:MM:SS"} | {run: true}"""
    if "move_s" in asked:
        shop.clock.move(int(asked["move_s"]))
    if "fix" in asked:
        shop.clock.fix(asked["fix"] if isinstance(asked["fix"], int) else seconds(asked["fix"]))
    if asked.get("run"):
        shop.clock.fix(None)
    return {"clock": shop.clock.text()}


@action("POST", "faults")
def faults(shop, _, asked):
    """See faults.py; {} clears, also those of the gateway and of bulks. {down: true|false} closes and opens the socket.
    {gateway: capture|refund|authorize|void, times, after: true|false}; {bulk: times}"""
    if not asked:
        shop.faults.clear()
        shop.gateway.clear()
        shop.bulks.fail(0)
    if "down" in asked:
        (shop.down if asked["down"] else shop.up)()
    if "gateway" in asked:
        shop.gateway.plan(asked["gateway"], asked.get("times", 1), asked.get("after", False))
    if "bulk" in asked:
        shop.bulks.fail(asked["bulk"])
    if "fault" in asked:
        shop.faults.add(asked)
    return {}


@action("GET", "order")
def order(shop, increment, *_):
    """/order/INCREMENT_ID: the order with all its documents, transactions, mails and what the gateway knows."""
    return state.order(shop, shop.sales.by_increment(increment))


@action("GET", "stock")
def stock(shop, *_):
    return state.stock(shop)


@action("GET", "mails")
def mails(shop, *_):
    return shop.mails.all()


@action("GET", "gateway")
def gateway(shop, *_):
    return shop.gateway.ledger


@action("POST", "wait-bulks", waits=True)
def wait_bulks(shop, _, asked):
    """{timeout_s}: until no operation is open."""
    shop.bulks.wait(asked.get("timeout_s", 30))
    return {}
