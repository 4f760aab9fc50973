"""Products of all types, stores, attributes (magento-rest §7)."""

import os
import tempfile

from shop_case import MUG, Case, filters
from test_shop_invoices import CATALOG

CSV = """sku,product_type,product_websites,name,weight,product_online,visibility,price,base_image,additional_attributes,qty,configurable_variations
TEE-S,simple,base,Tee S,0.3,1,Not Visible Individually,12.5,/t/e/tee.jpg,"size=S,material=Cotton|Wool",100,
TEE,configurable,base,Tee,,1,"Catalog, Search",12.5,,material=Cotton,0,"sku=TEE-S,size=S"
OLD,simple,base,Old,1,2,Catalog,1,,,0,
"""
SAMPLES = """name,sku,price,qty,bundle_options,associated_sku,links_title
Kit,KIT,,100,"Cup|radio:CUP,POT
Pot|select:POT",,
Set,SET,,100,,"CUP,POT",
Song,SONG,3,,,,Downloads
"""
ORDERS = """customer_email,currency,shipping_method,payment,product,refund
eve@example.com,USD,flatrate_flatrate,checkmo,"{""sku"":""TEE"",""qty"":""2"",""configurable_options"":{""size"":""M""}}",yes
"""
CUSTOMERS = '''firstname,lastname,email,street,city,region,country_id,postcode,telephone
Eve,Example,eve@example.com,"[""1 Road"",""""]",Town,Michigan,US,1,2
'''
RATES = """code,tax_country_id,tax_region_name,tax_postcode,rate
MI,US,Michigan,*,8
"""


class Products(Case):
    def test_every_type_shows_what_it_is_made_of(self):
        shop = self.shop([*CATALOG, {"sku": "SET", "type": "grouped", "associated": ["CUP"]}])
        found = {p["sku"]: p for p in self.get(shop, "/V1/products?" + filters(size=50))["items"]}
        self.assertEqual(found["SHIRT"]["extension_attributes"]["configurable_product_links"], [found["SHIRT-S"]["id"]])
        self.assertEqual([[link["sku"] for link in option["product_links"]]
                          for option in found["FIXED"]["extension_attributes"]["bundle_product_options"]],
                          [["CUP"], ["POT"]])
        custom = {a["attribute_code"]: a["value"] for a in found["FIXED"]["custom_attributes"]}
        self.assertEqual((custom["price_type"], custom["shipment_type"]), ("1", "0"))
        self.assertEqual(found["SET"]["product_links"][0]["linked_product_sku"], "CUP")
        self.assertEqual([c["sku"] for c in self.get(shop, "/V1/configurable-products/SHIRT/children")], ["SHIRT-S"])
        self.assertEqual([c["sku"] for c in self.get(shop, "/V1/bundle-products/FIXED/children")], ["CUP", "POT"])
        self.assertEqual(len(self.get(shop, "/V1/bundle-products/FIXED/options/all")), 2)
        self.refused(shop, "GET", "/V1/bundle-products/MUG/children", None, 400, "bundle products only")

    def test_single_product_has_its_stock_item(self):
        shop = self.shop()
        self.assertEqual(self.get(shop, "/V1/products/MUG")["extension_attributes"]["stock_item"]["qty"],
                         MUG["stock"]["qty"])
        self.refused(shop, "GET", "/V1/products/NO", None, 404, "doesn't exist")

    def test_sku_with_blanks_and_slashes(self):
        shop = self.shop([{"sku": "A B/C"}])
        self.assertEqual(self.get(shop, "/V1/products/A%20B%2FC")["sku"], "A B/C")

    def test_changed_renamed_and_deleted(self):
        shop = self.shop()
        number = shop.catalog.get("MUG").id
        shop.clock.fix(1_700_000_000)
        shop.catalog.put({"sku": "MUG", "name": "Cup", "price": "9"})
        shown = self.get(shop, "/V1/products/MUG")
        self.assertEqual((shown["id"], shown["name"], shown["updated_at"]), (number, "Cup", "2023-11-14 22:13:20"))
        shop.catalog.rename("MUG", "CUP")
        self.assertEqual(self.get(shop, "/V1/products/CUP")["id"], number)
        shop.catalog.delete("CUP")
        self.assertEqual(self.get(shop, "/V1/products?searchCriteria")["total_count"], 0)

    def test_attributes_resolve_the_ids_of_options(self):
        shop = self.shop()
        ids = shop.catalog.attributes.put("color", "Colour", options=["Red", "Blue"])
        self.assertEqual([(o["label"], o["value"]) for o in self.get(shop,
                                                                     "/V1/products/attributes/color/options")[1:]],
                         list(ids.items()))
        self.assertEqual(self.get(shop, "/V1/products/attributes/color")["default_frontend_label"], "Colour")
        self.assertEqual(self.get(shop,
                                  "/V1/products/attributes?" + filters([("attribute_code", "eq",
                                                                         "color")]))["total_count"], 1)

    def test_stores_and_their_configuration(self):
        shop = self.shop()
        shop.stores.load({"websites": [{"id": 1, "code": "base", "name": "US"}, {"id": 2, "code": "eu", "name": "EU"}],
                          "views": [
            {"id": 1, "code": "default"}, {"id": 2, "code": "de", "website_id": 2, "locale": "de_DE",
                                           "base_currency_code": "EUR",
                                           "base_media_url": "https://media.example/"}]})
        self.assertEqual([w["code"] for w in self.get(shop, "/V1/store/websites")], ["admin", "base", "eu"])
        self.assertEqual([v["code"] for v in self.get(shop, "/V1/store/storeViews")], ["admin", "default", "de"])
        self.assertEqual(self.get(shop, "/V1/store/storeConfigs")[1]["base_media_url"], "https://media.example/")
        order = self.order(shop, "MUG", store="de")
        self.assertEqual((order["increment_id"], order["base_currency_code"], order.website),
                         ("2000000001", "EUR", "eu"))

    def test_csv_of_magento_and_of_its_sample_data(self):
        from shop_simulator.csv_import import load
        shop = self.shop([{"sku": sku, "stock": {"qty": 9}} for sku in ("CUP", "POT")])
        with tempfile.TemporaryDirectory() as folder:
            for name, text, count in (("products.csv", CSV, 3), ("samples.csv", SAMPLES, 3)):
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write(text)
                self.assertEqual(load(shop, file.name), count)
            with open(os.path.join(folder, "bad.csv"), "w", encoding="utf-8") as file:
                file.write("sku,price\nA,1\nB,much\n")
            with self.assertRaisesRegex(ValueError, "bad.csv, line 3: .*'much' is no number"):
                load(shop, file.name)
        tee = self.get(shop, "/V1/products/TEE")
        self.assertEqual(len(tee["extension_attributes"]["configurable_product_links"]), 1)
        self.assertEqual([shop.catalog.get(sku).type for sku in ("KIT", "SET", "SONG")],
                         ["bundle", "grouped", "downloadable"])
        self.assertEqual(shop.catalog.get("KIT").children(), ["CUP", "POT", "POT"])
        self.assertEqual(self.order(shop, {"sku": "TEE", "variant": "TEE-S"}, "KIT", "SONG")["subtotal"], 15 + 0.5)

    def test_orders_in_the_form_of_the_sample_data(self):
        from shop_simulator.csv_orders import place
        shop = self.shop([])
        sizes = shop.catalog.attributes.put("size", options=["S", "M"])
        for label, value in sizes.items():
            shop.catalog.put({"sku": f"TEE-{label}", "price": "10", "attributes": {"size": value}, "stock": {"qty": 5}})
        shop.catalog.put({"sku": "TEE", "type": "configurable", "variants": ["TEE-S", "TEE-M"],
                          "super_attributes": ["size"]})
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for name, text in (("orders", ORDERS), ("customers", CUSTOMERS), ("rates", RATES)):
                paths.append(os.path.join(folder, name))
                with open(paths[-1], "w", encoding="utf-8") as file:
                    file.write(text)
            [(order, refund)] = place(shop, *paths)
        self.assertEqual((order.items[0]["sku"], order["grand_total"], order["customer_id"], refund),
                         ("TEE-M", 27, 1, True))
        self.assertEqual(order["billing_address"]["street"], ["1 Road"])

    def test_pages_of_300_come_from_one_search(self):
        shop = self.shop([{"sku": f"S{n}"} for n in range(1000)])
        seen = []
        for page in range(1, 5):
            answer = self.get(shop, "/V1/products?" + filters(size=300, page=page, sort=[("entity_id", "ASC")]))
            seen += [product["sku"] for product in answer["items"]]
        self.assertEqual(seen, [f"S{n}" for n in range(1000)])
