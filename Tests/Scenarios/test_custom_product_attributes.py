"""Feature 14, custom product attributes: the chosen ones travel with the product, under the OMS's names; a change of one of them is
told, of another not."""

import unittest

from story import Scenario, told
from wire import attribute, differences

UPDATED = "magento.catalog.product_management.updated"


class CustomProductAttributes(Scenario):
    WORLD = {"mapping": """
attribute product color = colour
attribute product weight
attribute product care
"""}

    def sent(self, sku):
        return [message["params"]["product"] for message in self.world.oms.received.all(
            UPDATED, lambda params: params["product"]["sku"] == sku)]

    def change(self, story, sku, **changes):
        with self.world.shop.lock:
            self.world.shop.catalog.put({"sku": sku, **changes})
        story.both(lambda: self.world.export([sku]))

    @told
    def test_chosen_attributes_are_exported_by_label_and_others_change_nothing(self, story):
        sku = f"MUG-{story.name}"
        with self.world.shop.lock:
            colours = self.world.shop.catalog.attributes.put("color", "Color", "select", ["Red", "Blue"])
        self.change(story, sku, name="Mug", price="10", weight="0.4",
                    attributes={"color": colours["Blue"], "care": "by hand", "shelf": "7"})
        [first] = story.by_and_by(lambda: self.sent(sku), "the product to be told")
        texts = sorted((each for each in first["custom_attributes"] if each["name"] != "weight"), key=lambda each: each["name"])
        self.assertEqual(differences([attribute("care", "by hand"), attribute("colour", "Blue")], texts), [])
        self.assertEqual([float(each["value"]) for each in first["custom_attributes"] if each["name"] == "weight"], [0.4])
        self.change(story, sku, attributes={"shelf": "8"})
        self.change(story, sku, attributes={"color": colours["Red"]})
        story.by_and_by(lambda: len(self.sent(sku)) >= 2, "the change to be told")
        story.keeps("sent", lambda: [
            {each["name"]: each["value"] for each in product["custom_attributes"] if each["name"] == "colour"}
            for product in self.sent(sku)])
        self.world.settle()
        self.assertEqual([[each["value"] for each in product["custom_attributes"] if each["name"] == "colour"]
                          for product in self.sent(sku)], [["Blue"], ["Red"]])


if __name__ == "__main__":
    unittest.main()
