"""A stack that an OMS simulator has registered."""

import contextlib
import json
import unittest

from oms_simulator import Oms, snapshot
from oms_simulator.snapshots import UPDATED
from reflected import Reflected
from stack import SERVICES, Stack

STOCK = "omsconnector.v1.InventoryService"
CREDENTIALS = {"oms_oauth_client_id": "shop", "oms_oauth_client_secret": "only-for-tests", "oms_secret": "signing-for-tests"}
CREATED = "2024-02-03T04:05:06+00:00"


@contextlib.contextmanager
def registered_stack(oms_options=None, **options):
    """(oms, stack), as soon as the gateway has registered, for stock if inventory is among its services."""
    has_stock = "inventory" in options.get("services", SERVICES)
    with Oms(client_id="shop", client_secret="only-for-tests", **(oms_options or {})) as oms:
        settings = {**CREDENTIALS, "oms_url": oms.url, "oms_oauth_server_url": oms.url, "oms_synchronous_methods": UPDATED, **options}
        if not has_stock:
            settings.setdefault("oms_registration_wait", "0s")  # nobody is there to be waited for
        with Stack(**settings) as stack:
            oms.bus.wait_for_registration(30, method=UPDATED if has_stock else None)
            yield oms, stack


class BusCase(unittest.TestCase):
    """One registered stack for the class; each test has aggregates of its own."""

    OPTIONS = {}

    @classmethod
    def setUpClass(cls):
        cls.oms, cls.stack = cls.enterClassContext(registered_stack(**cls.OPTIONS))
        cls.client = cls.enterClassContext(Reflected(cls.stack.grpc))

    @property
    def endpoint(self):
        return self.oms.bus.endpoints()[0]

    def send(self, body, **delivery):
        """Posts these bytes, or this value as JSON, to the callback."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.oms.bus.deliver(self.endpoint, raw, **delivery)

    def message(self, params, method=UPDATED, message_id="d-1"):
        return {"jsonrpc": "2.0", "id": message_id, "method": method, "params": params}

    def stock(self, aggregate_id, mode, rows, created_on=CREATED):
        """Publishes one snapshot and returns its delivery."""
        return self.oms.bus.publish(UPDATED, snapshot(aggregate_id, mode, created_on, rows))[0]

    def quantities(self, aggregate_id):
        return quantities(self.client, aggregate_id)


def quantities(client, aggregate_id):
    """SKU → quantity, or None for an unlimited one, of the whole aggregate."""
    held, token = {}, ""
    while True:
        request = {"aggregate_id": aggregate_id, "page_size": 1000, "page_token": token}
        page = client.call(f"{STOCK}/ListStock", request)
        for stock in page.get("stock", []):
            held[stock["sku"]] = None if stock.get("unlimited") else stock.get("quantity", 0)
        token = page.get("next_page_token")
        if not token:
            return held
