"""Feature 1, auto-registration: the connector registers itself with all that its services consume, and again when the OMS has
forgotten it; what the OMS sends then arrives."""

import json
import unittest
from datetime import datetime, timedelta, timezone

from oms_simulator import snapshot
from oms_simulator.snapshots import UPDATED
from story import Scenario, told
from wire import ANY, differences
from world import GATEWAY, INVENTORY

REGISTER = "magento.service_bus.remote.register"
# messages.md §2: what the OMS sends to the shop's side.
CONSUMED = {f"magento.{name}" for name in (
    "inventory.aggregate_stock_management.updated", "inventory.source_management.created",
    "inventory.source_management.updated", "inventory.source_management.deleted", "sales.order_management.created",
    "sales.order_management.updated", "sales.order_management.line_cancelled",
    "sales.order_management.custom_attributes_updated", "sales.order_management.line_custom_attributes_updated",
    "sales.order_management.shipping_address_updated", "logistics.fulfillment_management.customer_shipment_done",
    "logistics.carrier_management.request_shipping_details", "logistics.warehouse_management.request_shipment",
    "postsales.return_management.updated", "postsales.refund_management.updated")}


class AutoRegistration(Scenario):
    def test_registration_on_the_wire_names_all_that_the_services_consume(self):
        requests = [json.loads(request.body) for request in self.world.oms.requests.all() if request.path.startswith("/remote/")]
        last = [request for request in requests if request.get("method") == REGISTER][-1]
        self.assertEqual(differences({
            "id": "connector", "url": self.world.stack.callback, "secret": ANY,
            "subscribes": lambda methods: CONSUMED <= set(methods) and len(methods) == len(set(methods)),
            "contracts": lambda _: True, "labels": lambda labels: any("version" in name for name in labels)},
            last["params"]), [], f"not subscribed: {CONSUMED - set(last['params']['subscribes'])}")
        self.assertLessEqual(len(last["params"]["id"]), 10, "what the PHP stand-in has room for")
        self.assertLessEqual(len(last["params"]["url"]), 60)

    @told
    def test_what_the_oms_sends_arrives_also_after_it_has_forgotten_the_registration(self, story):
        aggregate = f"A-{story.name}"
        began = datetime.now(timezone.utc) - timedelta(minutes=1)

        def says(second, quantity):
            created_on = (began + timedelta(seconds=second)).isoformat()
            story.says((UPDATED, snapshot(aggregate, "DELTA", created_on, [("MUG", quantity)])))

        says(1, 5)
        says(2, 7)
        story.pause()
        self.world.oms.bus.forget_endpoints()
        registration = story.both(lambda: self.world.call(f"{GATEWAY}/Register")["registration"])
        self.assertEqual(registration["state"], "REGISTRATION_STATE_REGISTERED")
        self.assertEqual(len(self.world.oms.bus.endpoints()), 1)
        says(4, 3)
        says(3, 9)  # issued before, and late: stale

        def quantity():
            return self.world.call(f"{INVENTORY}/GetStock", {"aggregate_id": aggregate, "sku": "MUG"})["stock"].get("quantity")

        self.world.settle()
        story.by_and_by(lambda: quantity() == 3, "the last quantity to be there")
        story.keeps("quantity", quantity)


if __name__ == "__main__":
    unittest.main()
