"""The money on an order, and what invoices and credit memos make of it (magento-rules §5)."""

import random
from decimal import Decimal

from shop_simulator.sides import sides
from shop_simulator.values import ZERO
from test_shop_invoices import CATALOG
from test_shop_states import Sales

LINES = ("row_total", "tax_amount", "discount_tax_compensation_amount", "weee_tax_applied_row_amount")
TENDERS = ("gift_cards_amount", "customer_balance_amount", "reward_currency_amount")
CURRENCIES = [("USD", "USD", 1), ("EUR", "USD", "0.9137"), ("JPY", "EUR", "163.27"), ("KWD", "USD", "0.3072")]


def gross(order, side, charges=True):
    """What the lines, the shipping and the charges cost, as the rule adds it up."""
    total = sum((item[side(name)] for item in order.items if not item.is_dummy for name in LINES), ZERO)
    total -= sum((item[side("discount_amount")] for item in order.items if not item.is_dummy), ZERO)
    total += sum(order[side(name)] for name in (
        "shipping_amount", "shipping_tax_amount", "shipping_discount_tax_compensation_amount"))
    total -= order[side("shipping_discount_amount")]
    return total + (order[side("extra_amount")] + order[side("extra_tax")] if charges else 0)


def used(order, side):
    return sum((order[side(name)] for name in TENDERS), ZERO)


class Identity(Sales):
    def test_line_with_price_including_tax_keeps_the_discounts_tax_as_compensation(self):
        order = self.order(self.shop(), {"sku": "MUG", "price": "11.90", "quantity": 2, "discount": "2.38",
                                         "tax_rate": 19},
                           prices_include_tax=True)
        item = order.items[0]
        self.assertEqual([item[name] for name in ("row_total", "tax_amount", "discount_tax_compensation_amount",
                                                  "discount_amount",
                                                  "row_total_incl_tax", "price_incl_tax", "price")],
                         [Decimal(text) for text in ("20.00", "3.42", "0.38", "2.38", "23.80", "11.90", "10.00")])
        self.assertEqual(order["grand_total"], Decimal("21.42"))

    def test_line_with_price_excluding_tax(self):
        order = self.order(self.shop(), {"sku": "MUG", "price": "10", "quantity": 3, "discount_percent": 10,
                                         "tax_rate": "8.25",
                                         "weee": "0.10"})
        item = order.items[0]
        self.assertEqual([item[name] for name in ("row_total", "discount_amount", "tax_amount",
                                                  "weee_tax_applied_row_amount")],
                         [30, 3, Decimal("2.23"), Decimal("0.30")])
        self.assertEqual(order["grand_total"], Decimal("29.53"))

    def test_gift_cards_balance_and_points_lower_the_grand_total_and_no_line(self):
        order = self.order(shop := self.shop(), ("MUG", 3),
                           gift_cards=[{"code": "A", "amount": 5}, {"code": "B", "amount": 2}],
                           customer_balance=4, reward={"points": 300, "amount": 3}, coupon={"code": "TEN"})
        self.assertEqual((order["grand_total"], order.items[0]["row_total"]), (16, 30))
        extension = self.shown(shop, order)["extension_attributes"]
        self.assertEqual([extension[name] for name in TENDERS], [7, 4, 3])
        self.assertEqual([card["amount"] for card in extension["gift_cards"]], [5, 2])
        self.assertNotIn("gift_cards_amount", self.shown(shop, order))

    def test_gift_wrap_and_charges_are_in_the_grand_total_and_in_no_line(self):
        order = self.order(shop := self.shop(), "MUG", gift_wrap={"id": 3, "price": "2", "tax": "0.38"},
                           charges={"payment_fee": "1.5"})
        self.assertEqual(order["grand_total"] - gross(order, sides(order)[0], charges=False), Decimal("3.88"))
        extension = self.shown(shop, order)["extension_attributes"]
        self.assertEqual([extension[name] for name in ("gw_id", "gw_price", "gw_tax_amount", "payment_fee")],
                         ["3", 2, Decimal("0.38"), Decimal("1.5")])

    def test_currencies_have_0_2_or_3_decimals(self):
        for currency, base, rate in CURRENCIES:
            with self.subTest(currency):
                order = self.order(self.shop(), {"sku": "MUG", "price": "10.05", "quantity": 3, "discount_percent": 7,
                                                 "tax_rate": 19},
                                   currency=currency, base_currency=base, rate=rate)
                for side, digits in zip(sides(order), ({"JPY": 0, "KWD": 3}.get(currency, 2), 2)):
                    for name in (*LINES, "discount_amount", "price"):
                        self.assertEqual(order.items[0][side(name)], round(order.items[0][side(name)], digits),
                                         (currency, name))

    def test_bundles_and_configurables_count_once(self):
        order = self.order(self.shop(), "FIXED", ("DYNAMIC", 2), {"sku": "SHIRT", "variant": "SHIRT-S"}, tax_rate=10)
        fixed, dynamic, shirt = (order.items[n] for n in (0, 3, 6))
        self.assertEqual((fixed["row_total"], [child["row_total"] for child in fixed.children]), (15, [0, 0]))
        self.assertEqual((dynamic["row_total"], dynamic["tax_amount"],
                          [child["row_total"] for child in dynamic.children]),
                         (26, Decimal("2.6"), [12, 14]))
        self.assertEqual((shirt["sku"], shirt["row_total"], shirt.children[0]["row_total"]), ("SHIRT-S", 20, 0))
        self.assertEqual((order["subtotal"], order["grand_total"]), (61, Decimal("67.1")))

    def test_sku_of_an_item_may_differ_from_the_catalogs_and_grouped_children_say_grouped(self):
        shop = self.shop([*CATALOG, {"sku": "SET", "type": "grouped", "associated": ["CUP", "POT"]}])
        order = self.order(shop, {"sku": "MUG", "sku_suffix": "-engraved"}, "DYNAMIC",
                           {"sku": "SET", "children": [{"sku": "CUP", "quantity": 2}]})
        items = self.shown(shop, order)["items"]
        self.assertEqual([(i["sku"], i["product_type"]) for i in items], [
            ("MUG-engraved", "simple"), ("DYNAMIC-CUP-POT", "bundle"), ("CUP", "simple"), ("POT", "simple"),
            ("CUP", "grouped")])
        for item, sku in zip(items, ("MUG", "DYNAMIC", "CUP", "POT", "CUP")):
            self.assertEqual(shop.catalog.by_id(item["product_id"]).sku, sku)
        self.assertEqual(items[2]["parent_item"]["item_id"], items[1]["item_id"])

    def test_virtual_orders_have_neither_shipping_nor_its_address(self):
        shop = self.shop()
        shown = self.shown(shop, self.order(shop, "EBOOK"))
        self.assertEqual((shown["is_virtual"], shown["shipping_amount"]), (1, 0))
        self.assertNotIn("address", shown["extension_attributes"]["shipping_assignments"][0]["shipping"])

    def test_rate_of_shipping_is_among_the_applied_taxes(self):
        shop = self.shop()
        order = self.order(shop, {"sku": "MUG", "tax_rate": 7}, shipping={"amount": 5, "tax_rate": 19})
        extension = self.shown(shop, order)["extension_attributes"]
        self.assertEqual([(t["type"], t["applied_taxes"][0]["percent"], t["applied_taxes"][0]["amount"])
                          for t in extension["item_applied_taxes"]],
                          [("product", 7, Decimal("0.7")), ("shipping", 19, Decimal("0.95"))])
        self.assertEqual([tax["percent"] for tax in extension["applied_taxes"]], [7, 19])


class Random(Sales):
    """Whatever the order and however it is cut up, nothing is lost and nothing appears."""

    def order_of(self, shop, dice, free=False):
        lines = []
        for sku in dice.sample(["MUG", "EBOOK", "CUP", "SHIRT", "FIXED", "DYNAMIC"], dice.randint(1, 4)):
            line = {"sku": sku, "quantity": dice.randint(1, 5),
                    "tax_rate": dice.choice(["0", "7", "8.25", "19", "25.5"])}
            if sku not in ("DYNAMIC",):
                line["price"] = str(Decimal(dice.randint(100, 9999)) / 100)
                line["weee"] = dice.choice(["0", "0.13"])
                if dice.random() < 0.5:
                    line["discount"] = str(Decimal(dice.randint(0, 99)) / 100)
            if dice.random() < 0.5 and "discount" not in line:
                line["discount_percent"] = dice.choice(["5", "33.3", "50"] + ["100"] * free)
            if sku == "SHIRT":
                line["variant"] = "SHIRT-S"
            lines.append(line)
        currency, base, rate = dice.choice(CURRENCIES)
        asked = {"currency": currency, "base_currency": base, "rate": rate, "prices_include_tax": dice.random() < 0.5,
                 "shipping_includes_tax": dice.random() < 0.5, "ignore_stock": True,
                 "shipping": {"amount": str(Decimal(dice.randint(0, 1500)) / 100), "tax_rate": "19",
                              "discount": dice.choice(["0", "1.11"])}}
        if dice.random() < 0.3:
            asked["gift_wrap"] = {"price": "1.99", "tax": "0.38"}
        if dice.random() < 0.4:
            asked["gift_cards"] = [{"code": "G", "amount": str(dice.randint(1, 60))}]
        if dice.random() < 0.3:
            asked["customer_balance"] = str(dice.randint(1, 20))
        return self.order(shop, *lines, **asked)

    def test_lines_are_the_grand_total_with_gift_cards_balance_and_points(self):
        shop = self.shop()
        for seed in range(300):
            with self.subTest(seed=seed):
                order = self.order_of(shop, random.Random(seed), free=True)
                for side in sides(order):
                    self.assertEqual(gross(order, side), order[side("grand_total")] + used(order, side))

    def test_invoices_and_memos_of_parts_add_up_to_the_order(self):
        from shop_simulator import invoicing, refunding
        shop = self.shop()
        for seed in range(150):
            with self.subTest(seed=seed):
                dice = random.Random(seed)
                order = self.order_of(shop, dice)
                while any(item.to_invoice for item in order.items):
                    item = dice.choice([i for i in order.items if i.to_invoice])
                    invoicing.request(order,
                                      [{"order_item_id": item.id, "qty": dice.randint(1, int(item.to_invoice))}], False)
                invoices = shop.sales.invoices.of(order)
                for side in sides(order):
                    self.assertEqual(sum(i[side("grand_total")] for i in invoices), order[side("grand_total")])
                    self.assertEqual(order[side("total_paid")], order[side("grand_total")])
                # A unit that comes to nothing can't be refunded once all money has gone back.
                while any(item.to_refund
                          for item in order.items) and order["total_paid"] != order.get("total_refunded"):
                    item = dice.choice([i for i in order.items if i.to_refund])
                    refunding.request(order,
                                      {"items": [{"order_item_id": item.id,
                                                  "qty": dice.randint(1, int(item.to_refund))}]})
                for side in sides(order):
                    self.assertEqual(order.get(side("total_refunded"), 0), order[side("grand_total")], side)
