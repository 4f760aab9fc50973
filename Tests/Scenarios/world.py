"""What a story happens in: a shop, the connector's five services as processes, and an OMS."""

import contextlib
import glob
import json
import os
import sqlite3
import time

from oms_simulator import Calendar
from reflected import Reflected
from shop_simulator import Shop, actions
from shop_stack import shop_stack
from waiting import wait_until

MAPPING = """
website base = EU-STORE vat-country=DE
aggregate EU-WEB = base source=eu-web
payment gateway = offline parts=yes
payment gateway_single_capture = offline
payment gateway_sale = offline-captured
"""
# The connector's own statuses (magento-rules.md §6): a merchant assigns them to these states.
STATUSES = {
    "pending": ["new"], "processing": ["processing"], "complete": ["complete"], "closed": ["closed"],
    "canceled": ["canceled"], "holded": ["holded"], "payment_review": ["payment_review"],
    "pending_payment": ["pending_payment"],
    **{f"oms_{name}": ["processing", "new"] for name in ("received", "on_hold", "fulfilment", "part_shipped", "error")}}
STORES = {
    "websites": [{"id": 1, "code": "base", "name": "Europe"}],
    "views": [{"id": 1, "code": "default", "name": "English", "locale": "en_GB", "base_currency_code": "EUR"}]}
SOURCE = "eu-web"  # of the website's stock
CATALOG, SALES, POST_SALES, INVENTORY, GATEWAY = (
    f"omsconnector.v1.{name}Service" for name in ("Catalog", "Sales", "PostSales", "Inventory", "Gateway"))
# Of every service one method that it consumes: with these the connector is registered as a whole.
SUBSCRIBED = (
    "magento.inventory.aggregate_stock_management.updated", "magento.sales.order_management.created",
    "magento.postsales.refund_management.updated")
PENDING, SUCCESS, IGNORED, ERROR, DEAD = 1, 2, 3, 4, 5
# Work that is due later than this is something planned, such as a look at what nobody has confirmed: nothing to wait for.
SOON_NS = 5 * 1_000_000_000


class World:
    def __init__(self, shop, oms, stack):
        self.shop, self.oms, self.stack = shop, oms, stack
        self.calendar = Calendar()
        self.held = set()  # orders that are meant to wait: looking at them now and then is not under way
        self.client = Reflected(stack.grpc)

    def call(self, method, request=None, **options):
        return self.client.call(method, request, **options)

    def stock_up(self, products, quantity=1000, source=SOURCE):
        """Puts products into the shop, on the shelf of its source, and has the catalog export them."""
        with self.shop.lock:
            for product in products:
                self.shop.catalog.put(product)
                if self.shop.settings.msi and product.get("type", "simple") == "simple":
                    self.shop.stock.msi.put(source, product["sku"], quantity, 1)
        self.export(product["sku"] for product in products)

    def export(self, skus):
        answer = self.call(f"{CATALOG}/UpsertProducts", {"skus": list(skus)})
        assert not answer.get("issues"), answer

    def journal(self, message_id):
        """(status, reason) of a message of the OMS; None before it has come."""
        rows = self.rows("gateway", "SELECT status, reason FROM journal WHERE direction = 1 AND delivery_id = ?",
                          json.dumps(message_id))
        return rows[-1] if rows else None

    def busy(self):
        """What is under way in the services, in words; empty when nothing is."""
        found = []
        for path in sorted(glob.glob(f"{self.stack.state_dir}/data/*.sqlite")):
            name = os.path.basename(path).removesuffix(".sqlite")
            tables = {table for (table,) in self.rows(name, "SELECT name FROM sqlite_master WHERE type = 'table'")}
            if "work" in tables:
                soon = time.time_ns() + SOON_NS
                found += [f"{name}: {kind} {key}: {reason}" for kind, key, reason in self.rows(
                    name, "SELECT kind, key, reason FROM work WHERE parked = 0 AND (due_at < ?1 OR held_until > ?1)", soon)
                    if key not in self.held]
            if "outbox" in tables and name != "gateway":
                found += [f"{name}: outbox" for _ in self.rows(name, "SELECT 1 FROM outbox")]
            if name == "gateway":
                found += [f"journal: {method} {reason}" for method, reason in self.rows(
                    name, "SELECT method, reason FROM journal WHERE status = 1")]
        return found

    def settle(self, timeout_s=30):
        """Until nothing is under way: what was going to happen twice has happened twice by now."""
        last = []

        def calm():
            last[:] = self.busy()
            return not last

        try:
            wait_until(calm, "the services to be through", timeout_s, every_s=0.05)
        except AssertionError as error:
            raise AssertionError(f"{error}; under way: {last[:10]}") from None

    def trouble(self):
        """Messages that ended badly, in words."""
        return [f"{method} {key}: {reason}" for method, key, reason in self.rows(
            "gateway", "SELECT method, message_key, reason FROM journal WHERE status IN (4, 5)")]

    def logs(self, lines=15):
        """The last of what the services complain about."""
        found = []
        for name, process in self.stack.processes.items():
            said = [line for line in process.log().splitlines() if '"level":"warning"' in line or '"level":"error"' in line]
            found += [f"{name}: {line[:600]}" for line in said[-lines:]]
        return found

    def rows(self, name, query, *values):
        """Rows of a service's store, read while it works on it."""
        path = f"file:{self.stack.state_dir}/data/{name}.sqlite?mode=ro"
        with contextlib.closing(sqlite3.connect(path, uri=True, timeout=10)) as store:
            return store.execute(query, values).fetchall()


def furnish(shop, stores):
    """Before it opens: its stores, and with multi-source inventory a stock of its own for the first website, since the default
    one is nobody's."""
    shop.stores.load(stores)
    if shop.settings.msi:
        actions.load(shop, "", {
            "sources": [{"source_code": SOURCE, "name": "Europe"}],
            "stocks": [{"name": "Europe", "websites": ["base"], "sources": [SOURCE]}]})


@contextlib.contextmanager
def world(mapping="", shop=None, oms=None, stores=None, **options):
    """A shop with one website that sells in euros from one source, and everything registered. `mapping`: lines besides the
    usual ones; `shop`, `oms`: settings of theirs; `options`: settings of the services."""
    options.setdefault("oms_synchronous_methods", "")
    options.setdefault("commerce_poll_interval", "200ms")
    options.setdefault("sales_hold_interval", "300ms")
    furnished = Shop(**{"statuses": STATUSES, **(shop or {})})
    furnish(furnished, stores or STORES)
    with furnished, shop_stack(furnished, MAPPING + mapping, oms, **options) as (shop, oms, stack):
        for method in SUBSCRIBED:
            oms.bus.wait_for_registration(30, method=method)
        made = World(shop, oms, stack)
        try:
            yield made
        finally:
            made.client.close()
