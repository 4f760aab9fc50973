"""Feature 13, custom order attributes: at every level and in both spellings to the OMS; from the OMS they are added to what is
there (connector.md §2.13)."""

import unittest

from story import Scenario, told
from wire import attribute, differences
from world import SALES

UPDATE, UPDATE_LINE = (f"magento.sales.order_management.update_{name}custom_attributes" for name in ("", "line_"))


class CustomOrderAttributes(Scenario):
    WORLD = {"mapping": """
attribute order gift_note = giftNote
attribute line weight = grams
attribute address company = firm
attribute payment cc_type = card_brand
"""}
    PRODUCTS = [{"sku": "MUG", "price": "10", "weight": "0.4"}]

    @told
    def test_attributes_of_every_level_are_on_the_wire_under_both_spellings(self, story):
        order = story.order({"MUG": 1}, extension={"gift_note": "for Bo"}, billing_address={"company": "ACME"},
                            payment_data={"cc_type": "VI"})
        sent = order.wait_until_sent()
        self.assertEqual(differences([attribute("giftNote", "for Bo")], sent["custom_attributes"]), [])
        mug, shipping = sent["lines"]
        self.assertEqual([each["name"] for each in mug["custom_attributes"]], ["grams"])
        self.assertEqual(float(mug["custom_attributes"][0]["value"]), 0.4)
        self.assertNotIn("custom_attributes", shipping, "an empty list breaks the stand-in")
        for address in sent["addresses"]:
            self.assertEqual(differences([attribute("firm", "ACME")], address["custom_attributes"]), [])
        information = sent["payments"][0]["transactions"][0]["gateway_information"]
        self.assertEqual(differences([attribute("mdc_gateway_processor", "checkmo"), attribute("card_brand", "VI")],
                                     information["custom_attributes"]), [])

    @told
    def test_what_the_oms_says_is_added_to_what_is_there(self, story):
        order = story.order({"MUG": 2})
        order.created()
        order.says(order.life.attributes_updated({"colour": "red"}))
        order.says(order.life.attributes_updated({"shape": "round"}))
        order.says(order.life.attributes_updated({"engraving": "Ann"}, 2))

        def known():
            found = order.known()
            return ({each["name"]: each["value"] for each in found.get("attributes", ())},
                    {each["name"]: each["value"] for each in found["lines"][1].get("attributes", ())})

        story.by_and_by(lambda: known() == ({"colour": "red", "shape": "round"}, {"engraving": "Ann"}),
                        "the attributes to be there")
        story.ends(order, exported="ACCEPTED")

    @told
    def test_attributes_that_are_set_in_the_shops_name_reach_the_oms(self, story):
        order = story.order({"MUG": 2})
        order.created()
        story.then(order, exported="ACCEPTED")
        story.pause()
        self.world.call(f"{SALES}/SetOrderAttributes", {
            "increment_id": order.id, "attributes": [{"name": "colour", "value": "red"}], "user": "ann"})
        self.world.call(f"{SALES}/SetOrderAttributes", {
            "increment_id": order.id, "line_number": 2, "attributes": [{"name": "engraving", "value": "Bo"}], "user": "ann"})
        [change] = self.world.oms.received.wait(
            UPDATE, lambda params: params["custom_attributes_modification"]["order_id"] == order.id)
        self.assertEqual(differences({
            "sales_channel_id": "EU-STORE", "order_id": order.id, "user": "ann",
            "custom_attributes": [attribute("colour", "red")]}, change["params"]["custom_attributes_modification"]), [])
        [change] = self.world.oms.received.wait(
            UPDATE_LINE, lambda params: params["line_custom_attributes_modification"]["order_id"] == order.id)
        self.assertEqual(differences({
            "sales_channel_id": "EU-STORE", "order_id": order.id, "user": "ann", "line_number": "2",
            "line_id": str(order.item("MUG")["item_id"]), "custom_attributes": [attribute("engraving", "Bo")],
        }, change["params"]["line_custom_attributes_modification"]), [])


if __name__ == "__main__":
    unittest.main()
