"""Feature 6, logistics import: what the warehouse did arrives in the shop; and where the shop's side is the warehouse, the OMS
asks it and is told."""

import unittest

from story import Scenario, told
from world import SALES

WAREHOUSE = "magento.logistics.warehouse_management."


class LogisticsImport(Scenario):
    WORLD = {"sales_carrier": "DHL", "sales_carrier_tracking_link": "https://parcels.example/{number}"}
    PRODUCTS = [{"sku": "MUG", "price": "10"}, {"sku": "CAP", "price": "7"}]

    @told
    def test_shipment_brings_its_parcels_with_carrier_number_and_link_and_one_mail(self, story):
        order = story.order({"MUG": 1, "CAP": 1})
        order.created()
        order.ships(parcels=[{"MUG": 1}, {"CAP": 1}])
        story.then(order, shipments=1)
        order.updated("COMPLETE", "FULLYSHIPPED")
        story.ends(order, shipments=1, state="complete")
        [shipment] = order.seen()["shipments"]
        self.assertEqual(sorted(track["track_number"] for track in shipment["tracks"]),
                         [f"T-{order.id}-1-1", f"T-{order.id}-1-2"])
        self.assertEqual({track["carrier_code"] for track in shipment["tracks"]}, {"custom"}, "unknown carriers are custom")
        # A track has no field for a link: it is in its texts, or in a comment.
        for link in (f"https://parcels.example/{order.id}-1-1", f"https://parcels.example/{order.id}-1-2"):
            story.by_and_by(lambda: link in repr([order.seen()["shipments"], order.comments()]), f"{link} to be shown")
        self.assertEqual([mail["kind"] for mail in order.seen()["mails"]].count("shipment"), 1)

    @told
    def test_oms_is_told_at_once_how_the_parcels_of_a_store_will_go(self, story):
        order = story.order({"MUG": 1, "CAP": 1})
        order.created()
        story.then(order, exported="ACCEPTED")
        method, params = order.life.asks_for_details([1, 2])
        for package in params["shipment"]["packages"]:
            package["tracking_link"] = ""
        packages = story.asks((method, params))
        asked = params["shipment"]["packages"]
        self.assertEqual([(each["id"], each["items"]) for each in packages], [(each["id"], each["items"]) for each in asked])
        for package in packages:
            self.assertEqual(package["carrier"], "DHL")
            self.assertTrue(package["tracking_number"])
            self.assertEqual(package["tracking_link"], f"https://parcels.example/{package['tracking_number']}")
        story.ends(order, shipments=0, exported="ACCEPTED")

    def requested(self, story, order):
        """The OMS asks the warehouse to send all; the request, once the connector knows it."""
        order.created()
        method, params = order.life.requests_shipment(order.life.numbers())
        order.says((method, params))

        def found():
            requests = self.world.call(f"{SALES}/ListShipmentRequests", {"page_size": 1000}).get("shipment_requests", [])
            return next((each for each in requests if each["request_id"] == params["request_id"]), None)

        return story.by_and_by(found, "the shipment request to be there")

    def reports(self, method, request_id, name="request_id"):
        return [message["params"] for message in self.world.oms.received.all(
            method, lambda params: params[name] == request_id)]

    @told
    def test_warehouse_ships_and_declines_and_the_oms_is_told(self, story):
        order = story.order({"MUG": 2, "CAP": 1})
        request = self.requested(story, order)
        self.assertEqual([(line["line_number"], line["sku"]) for line in request["lines"]],
                         [(1, "MUG"), (2, "MUG"), (3, "CAP")])
        self.assertEqual((request["increment_id"], request["source_id"]), (order.id, "WH-1"))
        report = {"request_id": request["request_id"], "user": "bob", "declined_lines": [3], "packages": [
            {"id": "P-1", "line_numbers": [1, 2], "carrier": "DHL", "tracking_number": "T-1",
             "tracking_link": "https://parcels.example/1"}]}
        story.both(lambda: self.world.call(f"{SALES}/ReportShipment", report))
        [shipped] = story.by_and_by(lambda: self.reports(WAREHOUSE + "lines_shipped", request["request_id"]), "lines_shipped")
        item = {"order_line_id": str(order.item("MUG")["item_id"]), "sku": "MUG"}
        self.assertEqual([{name: each[name] for name in ("order_line_id", "sku")} for each in shipped["items"]], [item] * 2)
        self.assertEqual([each["order_line_number"] for each in shipped["items"]], [1, 2])
        self.assertEqual([{name: each.get(name) for name in ("id", "items", "carrier", "tracking_number", "tracking_link")}
                          for each in shipped["packages"]],
                         [{"id": "P-1", "items": [1, 2], "carrier": "DHL", "tracking_number": "T-1",
                           "tracking_link": "https://parcels.example/1"}])
        [together] = shipped["packages"][0]["aggregated_items"]
        self.assertEqual((together["sku"], together["quantity"], together["order_lines"]), ("MUG", 2, [1, 2]))
        [declined] = story.by_and_by(lambda: self.reports(WAREHOUSE + "lines_declined", request["request_id"]), "lines_declined")
        self.assertEqual([(each["order_line_number"], each["sku"]) for each in declined["items_collection"]], [(3, "CAP")])
        self.assertEqual(declined["items"], [3])
        # Only the OMS says what that means for the order.
        self.assertEqual(order.facts(["shipments"])["shipments"], 0)
        order.ships({"MUG": 2})
        order.says(order.life.cancelled(status="COMPLETE", reason="PARTIALLYSHIPPED"))
        story.ends(order, shipments=1, state="complete", total_canceled=7)

    @told
    def test_warehouse_says_how_far_it_is(self, story):
        order = story.order({"MUG": 1})
        request = self.requested(story, order)
        self.world.call(f"{SALES}/ReportShipment", {"request_id": request["request_id"], "user": "bob", "line_statuses": [
            {"line_number": 1, "status": "RECEIVEDBYLOGISTICS", "reason": "OSREPORTREC"}]})
        method = "magento.logistics.shipment_request_management.lines_change_status"
        [told] = story.by_and_by(lambda: self.reports(method, request["request_id"], "shipment_request_id"), "the status")
        self.assertEqual([(each["order_line_number"], each["status"], each["status_reason"]) for each in told["items"]],
                         [(1, "RECEIVEDBYLOGISTICS", "OSREPORTREC")])
        self.assertEqual(told["user"], "bob")


if __name__ == "__main__":
    unittest.main()
