"""The demo's order: from checkout to refund, told from both sides. It drives the two simulators by their control interfaces; all
that happens between them is the connector's doing."""

import time

from oms_simulator.after_sales import AfterSales
from oms_simulator.order_life import CREATE, OrderLife

# As in compose/demo.mapping, which tells the connector of this shop.
SOURCE = "eu-web"
AUTHORIZE = "magento.postsales.return_management.authorize"
# The connector's own statuses, which a merchant creates and assigns.
STATUSES = {f"oms_{name}": ["processing", "new"] for name in (
    "received", "on_hold", "fulfilment", "part_shipped", "error")}
PRODUCTS = {"MUG-BLUE": "12", "MUG-GREEN": "12", "MUG-RED": "12", "CAP-BLACK": "20", "TEE-S": "15", "SOCKS GREY": "6"}
FURNITURE = {
    "stores": {"views": [{"id": 1, "code": "default", "name": "English", "locale": "en_GB", "base_currency_code": "EUR"}]},
    "sources": [{"source_code": SOURCE, "name": "Europe"}],
    "stocks": [{"name": "Europe", "websites": ["base"], "sources": [SOURCE]}],
    "products": [{"sku": sku, "name": sku.title().replace("-", " "), "price": price} for sku, price in PRODUCTS.items()] + [
        {"sku": "EBOOK-1", "name": "Ebook 1", "type": "virtual", "price": "8", "stock": {"manage_stock": False}}]}
WITHIN_S = 60


class Tale:
    """Waits for what happens and says it."""

    def __init__(self, shop, oms, say):
        self._shop, self._oms, self._say = shop, oms, say

    def tell(self, what, text):
        self._say(f"{what:<16}{text}")

    def until(self, what, found):
        """What `found` gives as soon as that is something."""
        ends = time.monotonic() + WITHIN_S
        while not (result := found()):
            if time.monotonic() > ends:
                raise RuntimeError(f"waited {WITHIN_S} s for {what}")
            time.sleep(0.05)
        return result

    def order(self, number):
        return self._shop.get(f"/order/{number}")

    def once(self, number, what, fits):
        """The order in the shop, as soon as it is so."""
        return self.until(what, lambda: (lambda seen: seen if fits(seen) else None)(self.order(number)))

    def received(self, method, fits=lambda params: True):
        """The params of the first such message that the OMS got."""
        def found():
            return next((each["params"] for each in self._oms.get("/messages")
                         if each["method"] == method and fits(each["params"])), None)

        return self.until(f"{method} to come to the OMS", found)

    def says(self, message, text):
        """The OMS sends it."""
        method, params = message
        self.tell("OMS", text)
        if not all(each["delivered"] for each in self._oms.post("/publish", {"method": method, "params": params})):
            raise RuntimeError(f"the connector did not take {method}")


def play(shop, oms, say=print):
    """`shop`, `oms`: clients of the two control interfaces. RuntimeError when it does not go as it should."""
    tale = Tale(shop, oms, say)
    shelf = tale.until("the OMS's stock to be in the shop", lambda: _shelf(shop, "MUG-BLUE") and _shelf(shop, "CAP-BLACK"))
    tale.tell("stock", f"the shop has what the OMS said: {_shelf(shop, 'MUG-BLUE')} × MUG-BLUE, {shelf} × CAP-BLACK")
    bought = shop.post("/checkout", {
        "lines": [{"sku": "MUG-BLUE", "quantity": 2}, {"sku": "CAP-BLACK"}], "payment": "gateway", "tax_rate": "19",
        "shipping": {"amount": "5", "tax_rate": "19"}, "customer": {"id": 1, "email": "ann@example.com"},
        "billing_address": {"city": "Bonn", "postcode": "53111", "country_id": "DE", "region": "NRW", "region_code": "NW"}})
    number, total = bought["increment_id"], bought["grand_total"]
    tale.tell("checkout", f"Ann buys 2 × MUG-BLUE and 1 × CAP-BLACK: order {number}, {total:.2f} EUR, which are authorised")
    order = tale.received(CREATE, lambda params: params["order"]["id"] == number)["order"]
    tale.tell("connector", f"exports it as {len(order['lines'])} lines, one a unit, for {order['store']}")
    life = OrderLife(order)
    after = AfterSales(life)
    _accept(tale, life)
    _ship(tale, life)
    _refund(tale, life, after, shop, bought)


def _accept(tale, life):
    tale.says(life.created(), "has the order")
    _status(tale, life.id, "oms_received")
    tale.says(life.updated("LOGISTICS", "READYTOSHIP"), "hands it to a warehouse")
    _status(tale, life.id, "oms_fulfilment")


def _ship(tale, life):
    first = life.numbers("MUG-BLUE", 1)
    tale.says(life.shipped(first), "one mug has left, parcel and number with it")
    seen = tale.once(life.id, "the first shipment", lambda seen: seen["shipments"] and seen["invoices"])
    tale.tell("shop", f"shipment with {_tracks(seen)}; invoice over {_sum(seen['invoices']):.2f} EUR, shipping included, captured")
    _status(tale, life.id, "oms_part_shipped")
    tale.says(life.shipped(life.numbers()), "the rest has left")
    tale.once(life.id, "the second shipment", lambda seen: len(seen["shipments"]) == len(seen["invoices"]) == 2)
    tale.says(life.updated("COMPLETE", "FULLYSHIPPED"), "is through with it")
    seen = tale.once(life.id, "the order to be complete", lambda seen: seen["order"]["state"] == "complete")
    tale.tell("shop", f"{len(seen['shipments'])} shipments, {_sum(seen['invoices']):.2f} EUR captured, the order is complete")


def _refund(tale, life, after, shop, bought):
    item = next(item for item in bought["items"] if item["sku"] == "MUG-BLUE")
    shop.post("/return", {"increment_id": life.id, "items": [
        {"order_item_id": item["item_id"], "qty_requested": 1, "reason": 1, "condition": 5, "resolution": 8}]})
    tale.tell("shop", "Ann wants to return one mug")
    asked = tale.received(AUTHORIZE, lambda params: params["return"]["order_id"] == life.id)["return"]
    lines = [line["line_number"] for line in asked["lines"]]
    tale.tell("connector", f"asks the OMS to authorise the return of line {lines[0]}")
    approved = after.return_updated(lines)
    rma = approved[1]["return"]["rma"]
    tale.says(approved, f"approves it as {rma}")
    tale.says(after.refund({number: None for number in lines}, rma=rma), f"releases the refund of {life.gross(lines[0]):.2f} EUR")
    seen = tale.once(life.id, "the credit memo", lambda seen: seen["creditmemos"])
    tale.tell("shop", f"credit memo over {_sum(seen['creditmemos']):.2f} EUR, refunded through the gateway; nothing restocked")
    done = ", ".join(f"{entry['operation']} {entry['amount']:.2f}" for entry in seen["gateway"])
    tale.tell("gateway", f"in all: {done} EUR")


def _status(tale, number, status):
    tale.once(number, f"the status {status}", lambda seen: seen["order"]["status"] == status)
    tale.tell("shop", f"shows {status}")


def _shelf(shop, sku):
    return next((row["quantity"] for row in shop.get("/stock")["source_items"]
                 if row["sku"] == sku and row["source_code"] == SOURCE and row["quantity"] > 0), None)


def _sum(documents):
    return sum(each["grand_total"] for each in documents)


def _tracks(seen):
    return ", ".join(f"{track['title']} {track['track_number']}" for each in seen["shipments"] for track in each["tracks"])
