"""Shipments, a test for every rule of magento-rules §2."""

from decimal import Decimal

from shop_case import MUG, Case
from test_shop_invoices import CATALOG, DYNAMIC, FIXED


class Shipping(Case):
    def shop(self, products=CATALOG, **settings):
        return super().shop(products, **settings)

    def ship(self, shop, order, *items, **body):
        number = self.post(shop, f"/V1/order/{order['entity_id']}/ship", {
            "items": [{"order_item_id": getattr(item, "id", item), "qty": quantity} for item, quantity in items],
            **body})
        return self.get(shop, f"/V1/shipment/{number}")

    def no_shipment(self, shop, order, items, said):
        answer = self.refused(shop, "POST", f"/V1/order/{order['entity_id']}/ship", {
            "items": [{"order_item_id": getattr(item, "id", item), "qty": quantity} for item, quantity in items]}, 400,
            said)
        return answer["message"]


class Shipments(Shipping):
    def test_qty_to_ship_counts_refunds_as_the_version_does(self):
        for version, left in (("2.2", 1), ("2.4", 3)):
            with self.subTest(version):
                shop = self.shop(version=version)
                item = self.order(shop, ("MUG", 6)).items[0]
                item["qty_shipped"], item["qty_refunded"], item["qty_canceled"] = Decimal(2), Decimal(2), Decimal(1)
                self.assertEqual(item.to_ship, left)

    def test_too_large_quantities_are_clamped_silently(self):
        shop = self.shop()
        order = self.order(shop, ("MUG", 2))
        self.assertEqual(self.ship(shop, order, (order.items[0], 9))["items"][0]["qty"], 2)

    def test_unknown_items_are_ignored(self):
        shop = self.shop()
        order = self.order(shop, "MUG", "CUP")
        self.assertEqual([line["sku"] for line in self.ship(shop, order, (order.items[1], 1), (999, 5))["items"]],
                         ["CUP"])

    def test_quantities_are_cut_to_integers_unless_decimal(self):
        shop = self.shop()
        order = self.order(shop, ("MUG", 3), {"sku": "CUP", "quantity": "2.5", "decimal": True})
        made = self.ship(shop, order, (order.items[0], "1.9"), (order.items[1], "1.25"))
        self.assertEqual([line["qty"] for line in made["items"]], [1, Decimal("1.25")])

    def test_nothing_left_is_400_with_prefix_and_newlines(self):
        shop = self.shop()
        order = self.order(shop, ("MUG", 1), "CUP")
        self.ship(shop, order, (order.items[0], 1))
        self.assertEqual(self.no_shipment(shop, order, [(order.items[0], 1)], ""),
                         "Shipment Document Validation Error(s):\nYou can't create a shipment without products.")

    def test_empty_items_ship_everything(self):
        shop = self.shop()
        order = self.order(shop, ("MUG", 2), "EBOOK", {"sku": "SHIRT", "variant": "SHIRT-S"})
        self.assertEqual({line["sku"]: line["qty"] for line in self.ship(shop, order)["items"]},
                         {"MUG": 2, "SHIRT-S": 1})

    def test_refused_in_states_and_legal_while_complete(self):
        for state, legal in (("payment_review", False), ("holded", False), ("canceled", False), ("complete", True)):
            with self.subTest(state):
                shop = self.shop()
                order = self.order(shop, "MUG")
                order.set_state(state)
                if legal:
                    self.ship(shop, order)
                else:
                    self.no_shipment(shop, order, [],
                                     "Shipment Document Validation Error(s):\nA shipment cannot be created")

    def test_virtual_items_cannot_be_shipped(self):
        shop = self.shop()
        order = self.order(shop, "EBOOK", "MUG")
        self.no_shipment(shop, order, [(order.items[0], 1)], "without products")
        self.no_shipment(shop, self.order(shop, "EBOOK"), [], "The order does not allow a shipment to be created.")

    def test_shipment_type_decides_who_is_shipped(self):
        for bundle in (FIXED, DYNAMIC):
            for separately in (0, 1):
                with self.subTest(bundle=bundle["sku"], separately=separately):
                    shop = self.shop([*CATALOG, {**bundle, "shipment_type": separately}])
                    order = self.order(shop, (bundle["sku"], 2))
                    parent, cup, pot = order.items
                    wrong, right = (parent, cup) if separately else (cup, parent)
                    self.no_shipment(shop, order, [(wrong, 1)], "without products")
                    self.ship(shop, order, (right, 1))
                    shipped = [item["qty_shipped"] for item in order.items]
                    self.assertEqual(shipped, [0, 1, 0] if separately else [1, 2, 1])

    def test_configurable_is_shipped_by_its_parent(self):
        shop = self.shop()
        order = self.order(shop, {"sku": "SHIRT", "variant": "SHIRT-S"})
        self.no_shipment(shop, order, [(order.items[1], 1)], "without products")
        self.ship(shop, order, (order.items[0], 1))
        self.assertEqual(shop.stock.msi.quantity("default", "SHIRT-S"), 99)

    def test_first_shipment_takes_a_new_order_to_processing_and_later_ones_leave_the_status(self):
        shop = self.shop()
        shop.settings.statuses["oms_part_shipped"] = ["processing"]
        order = self.order(shop, ("MUG", 3))
        self.ship(shop, order, (order.items[0], 1))
        self.assertEqual((order["state"], order["status"]), ("processing", "processing"))
        order["status"] = "oms_part_shipped"
        self.ship(shop, order, (order.items[0], 1))
        self.assertEqual(order["status"], "oms_part_shipped")

    def test_tracks_come_with_the_shipment_and_later(self):
        shop = self.shop()
        order = self.order(shop, "MUG")
        made = self.ship(shop, order, tracks=[{"track_number": "T1", "title": "DHL", "carrier_code": "custom"}],
                         notify=True)
        self.assertEqual([track["track_number"] for track in made["tracks"]], ["T1"])
        added = self.post(shop, "/V1/shipment/track", {"entity": {
            "order_id": order["entity_id"], "parent_id": made["entity_id"], "track_number": "T2", "title": "DHL",
            "carrier_code": "custom"}})
        self.assertEqual(self.call(shop, "DELETE", f"/V1/shipment/track/{added['entity_id']}"), (200, True))
        self.assertEqual([track["track_number"] for track in self.get(shop,
                                                                      f"/V1/shipment/{made['entity_id']}")["tracks"]],
                                                                      ["T1"])
        self.assertEqual([mail["kind"] for mail in shop.mails.all()], ["order", "shipment"])


class FromSources(Shipping):
    def sourced(self):
        shop = self.shop([MUG])
        msi = shop.stock.msi
        for code in ("berlin", "oslo", "elsewhere"):
            msi.save_source({"source_code": code})
            msi.put(code, "MUG", Decimal(3), 1)
        number = msi.save_stock({"name": "EU",
                                 "extension_attributes": {"sales_channels": [{"type": "website", "code": "base"}]}})
        for code in ("berlin", "oslo"):
            msi.link({"stock_id": number, "source_code": code})
        return shop, number

    def source(self, code):
        return {"arguments": {"extension_attributes": {"source_code": code}}}

    def test_source_must_be_one_of_the_stock_of_the_website(self):
        shop, number = self.sourced()
        order = self.order(shop, ("MUG", 2))
        body = {"items": [], **self.source("elsewhere")}
        self.refused(shop, "POST", f"/V1/order/{order['entity_id']}/ship", body, 400,
                     "Not all of your products are available")
        made = self.ship(shop, order, (order.items[0], 1), **self.source("oslo"))
        self.assertEqual(made["extension_attributes"], {"source_code": "oslo"})
        self.assertEqual((shop.stock.msi.quantity("oslo", "MUG"), shop.stock.msi.salable("MUG", number)), (2, 4))

    def test_omitted_source_means_default(self):
        shop, _ = self.sourced()
        order = self.order(shop, "MUG")
        self.no_shipment(shop, order, [], "Not all of your products are available")

    def test_shipping_more_than_the_source_holds_is_refused_and_changes_nothing(self):
        shop, _ = self.sourced()
        order = self.order(shop, ("MUG", 5))
        body = {"items": [], **self.source("oslo")}
        self.refused(shop, "POST", f"/V1/order/{order['entity_id']}/ship", body, 400,
                     "Not all of your products are available")
        self.assertEqual((order.items[0]["qty_shipped"], shop.stock.msi.quantity("oslo", "MUG")), (0, 3))

    def test_ship_gives_the_reservation_back(self):
        shop, _ = self.sourced()
        order = self.order(shop, ("MUG", 2))
        self.ship(shop, order, **self.source("berlin"))
        self.assertEqual([entry["quantity"] for entry in shop.stock.msi.reservations], [-2, 2])

    def test_without_msi_shipping_takes_nothing(self):
        shop = self.shop([MUG], msi=False)
        order = self.order(shop, ("MUG", 2))
        self.ship(shop, order)
        self.assertEqual(shop.stock.items.get("MUG")["qty"], 98)
