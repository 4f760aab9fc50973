"""Stock with and without multi-source inventory (magento-rules §4)."""

from decimal import Decimal
from unittest import mock

from shop_case import MUG, Case, filters

BUNDLE = {"sku": "KIT", "type": "bundle", "options": [{"selections": [{"sku": "MUG"}]}]}


class WithSources(Case):
    def stocked(self, **settings):
        shop = self.shop(**settings)
        for code in ("berlin", "oslo"):
            self.post(shop, "/V1/inventory/sources", {"source": {
                "source_code": code, "name": code, "country_id": "DE", "postcode": "1", "enabled": True}})
        self.number = self.post(shop, "/V1/inventory/stocks", {"stock": {"name": "EU", "extension_attributes": {
            "sales_channels": [{"type": "website", "code": "base"}]}}})
        self.post(shop, "/V1/inventory/stock-source-links", {"links": [
            {"stock_id": self.number, "source_code": code, "priority": n}
            for n, code in enumerate(("berlin", "oslo"), 1)]})
        self.push(shop, ("MUG", "berlin", 5), ("MUG", "oslo", 3))
        return shop

    def push(self, shop, *rows):
        self.post(shop, "/V1/inventory/source-items", {"sourceItems": [
            {"sku": sku, "source_code": source, "quantity": quantity, "status": 1} for sku, source, quantity in rows]})

    def salable(self, shop, sku="MUG"):
        return self.get(shop, f"/V1/inventory/get-product-salable-quantity/{sku}/{self.number}")

    def test_order_reserves_and_the_source_keeps_its_quantity(self):
        shop = self.stocked()
        self.order(shop, ("MUG", 2))
        self.assertEqual(self.salable(shop), 6)
        rows = self.get(shop, "/V1/inventory/source-items?" + filters([("sku", "eq", "MUG")]))["items"]
        self.assertEqual({r["source_code"]: r["quantity"] for r in rows}, {"berlin": 5, "oslo": 3, "default": 100})
        self.assertEqual([r["quantity"] for r in shop.stock.msi.reservations], [-2])

    def test_virtual_product_leaves_the_source_when_it_is_invoiced(self):
        shop = self.stocked()
        shop.catalog.put({"sku": "CODE", "type": "virtual"})
        self.push(shop, ("CODE", "berlin", 5))
        order = self.order(shop, ("CODE", 2))
        self.assertEqual((shop.stock.msi.quantity("berlin", "CODE"), self.salable(shop, "CODE")), (5, 3))
        self.post(shop, f"/V1/order/{order['entity_id']}/invoice", {"capture": True})
        self.assertEqual((shop.stock.msi.quantity("berlin", "CODE"), self.salable(shop, "CODE")), (3, 3))

    def test_salable_is_the_sum_of_sources_and_reservations_less_min_qty(self):
        shop = self.stocked()
        shop.catalog.put({"sku": "MUG", "stock": {"min_qty": 1}})
        self.order(shop, ("MUG", 3))
        self.assertEqual(self.salable(shop), 4)
        shop.stock.msi.sources["oslo"]["enabled"] = False
        self.assertEqual(self.salable(shop), 1)

    def test_raw_quantity_that_already_lacks_the_order_deducts_twice(self):
        shop = self.stocked()
        self.order(shop, ("MUG", 2))
        self.push(shop, ("MUG", "berlin", 3), ("MUG", "oslo", 3))
        self.assertEqual(self.salable(shop), 4)

    def test_one_invalid_row_fails_the_whole_batch(self):
        shop = self.stocked()
        for bad, said in (({"sku": "X", "source_code": "rome", "quantity": 1}, "does not exist"),
                          ({"sku": "", "source_code": "oslo", "quantity": 1}, "can not be empty"),
                          ({"sku": "X", "source_code": "oslo", "quantity": "many"}, "numeric"),
                          ({"sku": "X ", "source_code": "oslo", "quantity": 1}, "spaces")):
            with self.subTest(bad=bad):
                rows = [{"sku": "MUG", "source_code": "oslo", "quantity": 77, "status": 1}, {"status": 1, **bad}]
                answer = self.refused(shop, "POST", "/V1/inventory/source-items", {"sourceItems": rows}, 400,
                                      "Validation Failed")
                self.assertIn(said, answer["errors"][0]["message"])
                self.assertEqual(shop.stock.msi.quantity("oslo", "MUG"), 3)

    def test_children_of_a_bundle_that_ships_together_may_sit_in_one_source_only(self):
        for separately in (0, 1):
            with self.subTest(shipment_type=separately):
                shop = self.shop([{"sku": "MUG"}, {**BUNDLE, "shipment_type": separately}])
                shop.stock.msi.save_source({"source_code": "oslo"})
                self.push(shop, ("MUG", "oslo", 1))
                status, answer = self.call(shop, "POST", "/V1/inventory/source-items", {"sourceItems": [
                    {"sku": "MUG", "source_code": "default", "quantity": 1, "status": 1}]})
                self.assertEqual(status, 200 if separately else 400, answer)

    def test_websites_find_their_stock(self):
        shop = self.stocked()
        self.assertEqual(self.get(shop, "/V1/inventory/stock-resolver/website/base")["stock_id"], self.number)
        self.refused(shop, "GET", "/V1/inventory/stock-resolver/website/other", None, 404, "No linked stock")
        self.assertEqual(self.get(shop, "/V1/inventory/stocks/1")["extension_attributes"]["sales_channels"], [])
        by_priority = self.get(shop, f"/V1/inventory/get-sources-assigned-to-stock-ordered-by-priority/{self.number}")
        self.assertEqual([s["source_code"] for s in by_priority], ["berlin", "oslo"])

    def test_composite_products_have_no_salable_quantity(self):
        shop = self.stocked()
        shop.catalog.put(BUNDLE)
        self.refused(shop, "GET", f"/V1/inventory/get-product-salable-quantity/KIT/{self.number}", None, 400,
                     "without Source Items")

    def test_routes_are_gone_without_msi(self):
        shop = self.shop(msi=False)
        self.refused(shop, "GET", "/V1/inventory/sources?searchCriteria", None, 404, "does not match any route")
        self.assertNotIn("Magento_InventoryApi", self.get(shop, "/V1/modules"))


class WithoutSources(Case):
    def test_checkout_takes_and_the_flag_falls_with_the_last_unit(self):
        shop = self.shop(msi=False)
        self.order(shop, ("MUG", 99))
        self.assertEqual(self.get(shop, "/V1/stockStatuses/MUG")["qty"], 1)
        self.order(shop, "MUG")
        item = self.get(shop, "/V1/stockItems/MUG")
        self.assertEqual((item["qty"], item["is_in_stock"]), (0, False))
        with self.assertRaisesRegex(Exception, "not available"):
            self.order(shop, "MUG")

    def test_manage_stock_is_per_product(self):
        shop = self.shop(msi=False)
        number = self.get(shop, "/V1/stockItems/MUG")["item_id"]
        status, answer = self.call(shop, "PUT", f"/V1/products/MUG/stockItems/{number}", {
            "stockItem": {"qty": "0", "is_in_stock": True, "manage_stock": False, "use_config_manage_stock": False}})
        self.assertEqual((status, answer), (200, number))
        self.order(shop, ("MUG", 1000))
        self.assertEqual(self.get(shop, "/V1/stockItems/MUG")["qty"], 0)
        self.assertEqual(self.call(shop, "PUT", "/V1/products/NO/stockItems/1", {"stockItem": {"qty": 1}})[0], 404)


class InBulk(Case):
    def test_bulk_tells_what_became_of_each_operation(self):
        shop = self.shop(msi=False, consumers_running=False)
        number = self.get(shop, "/V1/stockItems/MUG")["item_id"]
        bodies = [{"productSku": sku, "itemId": number, "stockItem": {"qty": 7}} for sku in ("MUG", "NONE")]
        for path in ("bySku", "byProductSku"):
            status, answer = self.call(shop, "PUT", f"/async/bulk/V1/products/{path}/stockItems/byItemId", bodies)
            self.assertEqual((status, answer["errors"], [r["status"] for r in answer["request_items"]]),
                             (202, False, ["accepted", "accepted"]))
        name = answer["bulk_uuid"]
        self.assertEqual(self.get(shop, f"/V1/bulk/{name}/operation-status/4"), 2)
        shop.settings.consumers_running = True
        shop.bulks.wake()
        shop.bulks.wait(10)
        told = self.get(shop, f"/V1/bulk/{name}/status")["operations_list"]
        self.assertEqual([o["status"] for o in told], [1, 3])
        self.assertIn("NONE", told[1]["result_message"])
        self.assertEqual(shop.stock.items.get("MUG")["qty"], Decimal(7))
        detailed = self.get(shop, f"/V1/bulk/{name}/detailed-status")["operations_list"]
        self.assertEqual(detailed[0]["result_serialized_data"], str(number))

    def test_locked_table_is_a_failure_to_be_sent_again(self):
        shop = self.shop()
        shop.bulks.fail(1)
        row = {"sku": "MUG", "source_code": "default", "quantity": 9, "status": 1}
        name = self.call(shop, "POST", "/async/V1/inventory/source-items", {"sourceItems": [row]})[1]["bulk_uuid"]
        shop.bulks.wait(10)
        self.assertEqual(self.get(shop, f"/V1/bulk/{name}/operation-status/2"), 1)
        self.assertEqual(shop.stock.msi.quantity("default", "MUG"), 100)

    def test_five_thousand_rows_in_one_asynchronous_call_are_read_in_pages(self):
        shop = self.shop([{"sku": f"S{n}"} for n in range(5000)])
        rows = [{"sku": f"S{n}", "source_code": "default", "quantity": n, "status": 1} for n in range(5000)]
        self.assertEqual(self.call(shop, "POST", "/async/V1/inventory/source-items", {"sourceItems": rows})[0], 202)
        shop.bulks.wait(20)
        seen = []
        for page in range(1, 18):
            answer = self.get(shop, "/V1/inventory/source-items?" + filters([("source_code", "eq", "default")],
                                                                            size=300, page=page))
            seen += answer["items"]
        self.assertEqual([(row["sku"], row["quantity"]) for row in seen], [(f"S{n}", n) for n in range(5000)])

    def test_outcomes_of_the_last_bulks_are_kept(self):
        shop = self.shop()
        row = {"sku": "MUG", "source_code": "default", "quantity": 9, "status": 1}
        with mock.patch("shop_simulator.bulks.KEPT", 2):
            names = [self.call(shop, "POST", "/async/V1/inventory/source-items", {"sourceItems": [row]})[1]["bulk_uuid"]
                     for _ in range(3)]
        self.assertEqual([self.call(shop, "GET", f"/V1/bulk/{name}/status")[0] for name in names], [404, 200, 200])

    def test_reads_have_no_asynchronous_form(self):
        self.assertEqual(self.call(self.shop([MUG]), "GET", "/async/V1/products/MUG")[0], 404)
