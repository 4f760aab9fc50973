"""An order in a story: seen from the shop, from the connector and from the OMS."""

from decimal import Decimal

import state
from oms_simulator import STANDARD, AfterSales, OrderLife
from oms_simulator.order_life import CREATE
from shop_simulator import state as shop_state
from waiting import wait_until
from world import SALES


class StoryOrder:
    def __init__(self, telling, placed, quirks):
        """`placed`: the order as the shop shows it."""
        self._telling, self.world, self.placed = telling, telling.world, placed
        self._quirks = quirks or STANDARD
        self.id, self.entity_id = self.placed["increment_id"], self.placed["entity_id"]
        self._life = None

    def __repr__(self):
        return f"order {self.id}"

    # The way to the OMS

    def export(self):
        """What the button "Export order" does."""
        request = {"increment_id": self.id}
        return self._telling.both(lambda: self.world.call(f"{SALES}/ExportOrder", request)["order"])

    def wait_until_sent(self):
        """The order as it came to the OMS."""
        return self.world.oms.received.wait(CREATE, lambda params: params["order"]["id"] == self.id)[0]["params"]["order"]

    @property
    def life(self):
        """The OMS's side of it."""
        if self._life is None:
            self.lives_as(OrderLife(self.wait_until_sent(), self._quirks, self.world.calendar))
        return self._life

    def lives_as(self, life):
        self._life, self.after = life, AfterSales(life)

    # What the OMS says of it

    def says(self, message):
        self._telling.says(message)
        return message[1]

    def created(self):
        return self.says(self.life.created())

    def updated(self, status, reason=""):
        return self.says(self.life.updated(status, reason))

    def ships(self, units=None, parcels=None, **more):
        """`units`: {SKU: count}, all that is left when None. `parcels`: [{SKU: count}] of them, one when None."""
        numbers = self._numbers(units)
        packages = None
        if parcels is not None:
            left, packages = list(numbers), []
            for parcel in parcels:
                lines = []
                for sku, count in parcel.items():
                    fitting = [n for n in left if self.life.line(n)["sku"] == sku][:count]
                    lines += fitting
                    left = [n for n in left if n not in fitting]
                packages.append({"lines": lines})
        return self.says(self.life.shipped(numbers, packages, **more))

    def ships_units(self, line, units):
        """A part of a line that has many units."""
        together = {"aggregated_line_id": "1", "sku": self.life.line(line)["sku"], "quantity": units, "order_lines": [line]}
        return self.says(self.life.shipped([line], [{"lines": [line], "aggregated_items": [together]}]))

    def cancels_line(self, sku, reason="OUTOFSTOCK"):
        return self.says(self.life.line_cancelled(self.life.numbers(sku, 1)[0], reason))

    def refunds(self, amounts, **more):
        """`amounts`: line number → amount, None for the whole line."""
        self.life  # noqa: B018 – makes `after`
        return self.says(self.after.refund(amounts, **more))["refund"]

    def returns(self, numbers, code="APPROVED", **more):
        self.life  # noqa: B018
        return self.says(self.after.return_updated(numbers, code, **more))["return"]

    def _numbers(self, units):
        if units is None:
            return self.life.numbers()
        return [number for sku, count in units.items() for number in self.life.numbers(sku, count)]

    # How it stands

    def seen(self):
        """The order with all its documents, as the shop has it."""
        with self.world.shop.lock:
            shop = self.world.shop
            return shop_state.order(shop, shop.sales.order(self.entity_id))

    def known(self):
        """The same as the connector knows it."""
        return self.world.call(f"{SALES}/GetOrder", {"increment_id": self.id})["order"]

    def documents(self):
        """What is in the shop's documents, by SKU: see state.py."""
        return state.documents(self.seen())

    def item(self, sku):
        """The shop's first order item of that SKU."""
        return next(item for item in self.seen()["order"]["items"] if item["sku"] == sku)

    def comments(self):
        return [comment["comment"] for comment in self.seen()["order"]["status_histories"] if comment["comment"]]

    def facts(self, names):
        """Of the shop: state, status, the number of invoices, shipments, creditmemos, returns and transactions, and the
        order's own fields. Of the connector: exported, oms_status, attention, reason."""
        seen, known = self.seen(), {}
        if {"exported", "oms_status", "attention", "reason"} & set(names):
            known = self.known()
        found = {}
        for name in names:
            if name in ("invoices", "shipments", "creditmemos", "returns", "transactions"):
                found[name] = len(seen[name])
            elif name == "exported":
                found[name] = known["export_state"].removeprefix("ORDER_EXPORT_STATE_")
            elif name == "comments":
                found[name] = self.comments()
            elif name == "attention":
                found[name] = known.get("needs_attention", False)
            elif name in ("oms_status", "reason"):
                found[name] = known.get(name, "")
            else:
                found[name] = seen["order"].get(name) or 0
        return found

    def wait(self, facts, timeout_s=20):
        try:
            wait_until(lambda: _same(self.facts(facts), facts), f"{self}: {facts}", timeout_s, every_s=0.05)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {self.facts(facts)}") from None

    def check(self, facts):
        found = self.facts(facts)
        if not _same(found, facts):
            raise AssertionError(f"{self} did not stay {facts}: it is {found}")


def _same(found, wanted):
    return all(wanted[name](value) if callable(wanted[name]) else _plain(value) == _plain(wanted[name])
               for name, value in found.items())


def _plain(value):
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return Decimal(str(value))
    return value
