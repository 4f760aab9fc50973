"""Feature 11, simple and configurable products: the catalog has the parent with its children; an order has the child that was
chosen, and in the shop its parent item is what is shipped and invoiced."""

import unittest

from story import Scenario, told
from wire import ANY, differences, untaxed

UPDATED = "magento.catalog.product_management.updated"
TEES = [{"sku": "TEE-S", "name": "Tee S", "price": "15", "visibility": 1, "attributes": {"size": "S"}},
        {"sku": "TEE-M", "name": "Tee M", "price": "16", "visibility": 1, "attributes": {"size": "M"}}]
TEE = {"sku": "TEE", "name": "Tee", "type": "configurable", "price": "15", "variants": ["TEE-S", "TEE-M"],
       "super_attributes": ["size"]}


def named(value):
    """A name in the language of the shop's only view."""
    return lambda given: [(each["value"], each.get("locale")) for each in given] == [(value, "en_GB")]


class SimpleAndConfigurableProducts(Scenario):
    PRODUCTS = [*TEES, TEE, {"sku": "MUG", "name": "Blue mug", "price": "10.01"}]

    def product(self, sku):
        return self.world.oms.received.wait(UPDATED, lambda params: params["product"]["sku"] == sku)[-1]["params"]["product"]

    def test_products_on_the_wire_are_what_the_catalogue_of_messages_says(self):
        for sku, kind, name, price, children in (("MUG", "simple", "Blue mug", "10.01", []), ("TEE-M", "simple", "Tee M", "16", []),
                                                 ("TEE", "configurable", "Tee", "15", ["TEE-S", "TEE-M"])):
            with self.subTest(sku):
                product = self.product(sku)
                self.assertEqual(product["children_skus"], children, "the stand-in reads it unconditionally")
                self.assertEqual(differences({
                    "id": ANY, "type": kind, "sku": sku, "status": "ACTIVE", "name": named(name), "enabled": True,
                    "price": {"currency": "EUR", "amount": untaxed(price)["net_amount"]}, "created_at": ANY,
                    "modified_at": ANY, "children_skus": children}, product), [])

    @told
    def test_order_of_a_variant_is_one_line_and_its_parent_item_is_shipped(self, story):
        order = story.order([{"sku": "TEE", "variant": "TEE-M", "quantity": 2}, {"sku": "MUG"}])
        parent = next(item for item in order.placed["items"] if item["product_type"] == "configurable")
        lines = order.wait_until_sent()["lines"]
        self.assertEqual([(line["line_number"], line["id"], line["sku"], line["product_type"]) for line in lines], [
            (1, str(parent["item_id"]), "TEE-M", "PHYSICAL"), (2, str(parent["item_id"]), "TEE-M", "PHYSICAL"),
            (3, str(order.item("MUG")["item_id"]), "MUG", "PHYSICAL"), (4, "SHIPPING", "STANDARD", "SHIPPING")])
        self.assertEqual(differences(untaxed(16), lines[0]["amount"]), [])
        order.created()
        order.ships({"TEE-M": 1})
        story.then(order, shipments=1, invoices=1)
        order.ships({"TEE-M": 1, "MUG": 1})
        order.updated("COMPLETE", "FULLYSHIPPED")
        story.ends(order, shipments=2, invoices=2, state="complete", total_invoiced=untaxed("47.01")["net_amount"])
        self.assertEqual([each["items"] for each in order.documents()["shipments"]], [{"TEE-M": "1", "MUG": "1"}, {"TEE-M": "1"}])
        self.assertEqual({line["order_item_id"] for each in order.seen()["shipments"] for line in each["items"]},
                         {parent["item_id"], order.item("MUG")["item_id"]})

    @told
    def test_product_that_is_deleted_in_the_shop_becomes_inactive(self, story):
        sku = f"OLD-{story.name}"
        with self.world.shop.lock:
            self.world.shop.catalog.put({"sku": sku, "price": "1"})
        self.world.export([sku])
        self.assertEqual(self.product(sku)["status"], "ACTIVE")
        with self.world.shop.lock:
            self.world.shop.catalog.delete(sku)
        story.both(lambda: self.world.export([sku]))
        found = story.by_and_by(lambda: [m["params"]["product"]["status"] for m in self.world.oms.received.all(
            UPDATED, lambda params: params["product"]["sku"] == sku)][1:], "the deletion to be told")
        self.assertEqual(found, ["INACTIVE"])


if __name__ == "__main__":
    unittest.main()
