"""Magento's sample shop: its catalog exported whole, its orders taken through; and an order as a real shop sent it."""

import json
import os
import unittest

from oms_simulator import OrderLife
from shop_simulator import csv_import, csv_orders
from stack import ROOT
from story import Scenario, Telling
from wire import differences
from world import CATALOG

DATA = os.path.join(os.path.dirname(ROOT), "shared", "data")
LUMA = os.path.join(DATA, "luma")
CATALOGS = ("configurable_and_simple", "gear", "bundle", "grouped", "downloadable")
UPDATED = "magento.catalog.product_management.updated"
STORES = {"websites": [{"id": 1, "code": "base", "name": "Luma"}],
          "views": [{"id": 1, "code": "default", "name": "English", "locale": "en_US", "base_currency_code": "USD"}]}


@unittest.skipUnless(os.path.isdir(LUMA), "the sample shop's data is not at hand")
class LumaShop(Scenario):
    WORLD = {"shop": {"msi": False}, "stores": STORES}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.world.shop.lock:
            cls.products = sum(csv_import.load(cls.world.shop, os.path.join(LUMA, f"{name}.csv")) for name in CATALOGS)
        cls.run_of_export = cls.world.call(f"{CATALOG}/ExportFullCatalog", timeout=240)[-1]
        cls.world.settle(120)

    def test_catalog_is_exported_whole(self):
        self.assertEqual((self.run_of_export["state"], self.run_of_export["exported"], self.run_of_export.get("failed", 0)),
                         ("FULL_EXPORT_STATE_DONE", self.products, 0))
        sent = {}
        for message in self.world.oms.received.all(UPDATED):
            product = message["params"]["product"]
            sent[product["sku"]] = product
        with self.world.shop.lock:
            expected = {product.sku: product for product in self.world.shop.catalog.all()}
        self.assertEqual(sorted(set(expected) - set(sent)), [])
        kinds = {}
        for sku in expected:
            kinds[sent[sku]["type"]] = kinds.get(sent[sku]["type"], 0) + 1
        in_the_shop = {}
        for product in expected.values():
            in_the_shop[product.type] = in_the_shop.get(product.type, 0) + 1
        self.assertEqual(kinds, in_the_shop)
        for sku, product in expected.items():
            if product.type == "configurable":
                self.assertEqual(sorted(sent[sku]["children_skus"]), sorted(product.variants), sku)

    def test_its_orders_are_shipped_and_refunded(self):
        with self.world.shop.lock:
            placed = csv_orders.place(self.world.shop, *(
                os.path.join(LUMA, f"{name}.csv") for name in ("orders", "customers", "tax_rates")))
        self.assertEqual(len(placed), 2)
        for made, is_refunded in placed:
            story = Telling(self)
            order = story.known_order(made.as_json())
            order.export()
            sent = order.wait_until_sent()
            self.assertEqual([(line["product_type"], line["sku"].startswith("WS0")) for line in sent["lines"]],
                             [("PHYSICAL", True), ("SHIPPING", False)])
            total = sum(line["amount"]["gross_amount"] for line in sent["lines"])
            self.assertAlmostEqual(total, float(made["grand_total"]))
            order.created()
            order.ships()
            order.updated("COMPLETE", "FULLYSHIPPED")
            story.ends(order, shipments=1, invoices=1, state="complete", total_paid=made["grand_total"])
            if is_refunded:
                order.refunds({line["line_number"]: None for line in sent["lines"]})
                story.ends(order, creditmemos=1, state="closed", total_refunded=made["grand_total"])
            story.close()

    def test_order_as_a_real_shop_sent_it_is_sent_alike_and_taken_through(self):
        with open(os.path.join(DATA, "oms", "order.json"), encoding="utf-8") as file:
            fixture = json.load(file)["params"]["order"]
        goods, shipping = fixture["lines"]
        address = fixture["addresses"][0]
        with self.world.shop.lock:
            self.world.shop.catalog.put({"sku": goods["sku"], "price": str(goods["amount"]["net_amount"]),
                                         "stock": {"qty": 10}})
        self.world.export([goods["sku"]])
        story = Telling(self)
        order = story.order({goods["sku"]: 1}, remote_ip=fixture["ip"], payment="checkmo",
                            shipping={"amount": str(shipping["amount"]["net_amount"]), "description": "Shipping"},
                            billing_address={
                                "firstname": address["first_name"], "lastname": address["last_name"], "city": address["city"],
                                "street": [address["address1"]], "region_code": address["state"], "postcode": address["zip"],
                                "country_id": address["country_code"], "telephone": address["phone"],
                                "email": address["email"]})
        sent = order.wait_until_sent()
        self.assertEqual(differences(self.like(fixture, sent), sent), [])
        # It goes on with the fixture's own shape: nulls, missing keys, both spellings.
        answered = {**fixture, "id": order.id, "store": "EU-STORE"}
        answered["lines"] = [{**line, "id": other["id"]} for line, other in zip(fixture["lines"], sent["lines"])]
        order.lives_as(OrderLife(answered, calendar=self.world.calendar))
        order.created()
        order.updated("LOGISTICS", "READYTOSHIP")
        order.ships()
        order.updated("COMPLETE", "FULLYSHIPPED")
        story.ends(order, shipments=1, invoices=1, state="complete", total_paid=128)
        order.refunds({1: None, 2: None})
        story.ends(order, creditmemos=1, state="closed", total_refunded=128)
        story.close()

    def like(self, fixture, sent):
        """The fixture with this shop's own ids, and without what it knows of its own."""
        renamed = {each["reference"]: other["reference"] for each, other in zip(fixture["addresses"], sent["addresses"])}
        payment = fixture["payments"][0]
        transaction = payment["transactions"][0]
        return {
            **fixture, "id": sent["id"], "store": "EU-STORE", "vat_country": "DE", "origin_date": sent["origin_date"],
            "addresses": [{**each, "reference": renamed[each["reference"]]} for each in fixture["addresses"]],
            "payments": [{**payment, "reference": sent["payments"][0]["reference"], "transactions": [
                {**transaction, "billing_address_reference": renamed[transaction["billing_address_reference"]]}]}],
            "lines": [{**line, "id": other["id"], "payment_reference": other["payment_reference"],
                       "shipping_address_reference": renamed[line["shipping_address_reference"]],
                       "shipping_line_number": other.get("shipping_line_number"),
                       # The shop's rules for promotions without a discount are none of the order's fields.
                       "promotions_info": lambda _: True} for line, other in zip(fixture["lines"], sent["lines"])]}


if __name__ == "__main__":
    unittest.main()
