"""Calls that the shop makes: webhooks before an action, events after a save (commercial edition from 2.4.4 on; Open
Source has neither, magento-rules §4)."""

import http.client
import json
import queue
import threading
from urllib.parse import urlsplit

from .errors import ShopError
from .values import dump, plain

INVOICE, SHIPMENT, MEMO = (f"observer.sales_order_{name}_save_before" for name in ("invoice", "shipment", "creditmemo"))
CANCEL, HOLD, UNHOLD = (f"plugin.magento.sales.api.order_management.{name}" for name in ("cancel", "hold", "un_hold"))
# What is asked before it is done: by REST, and by the control interface's actions in place of people.
ROUTES = {
    ("POST", "/V1/order/:orderId/invoice"): INVOICE, ("POST", "/V1/order/:orderId/ship"): SHIPMENT,
    ("POST", "/V1/order/:orderId/refund"): MEMO, ("POST", "/V1/invoice/:invoiceId/refund"): MEMO,
    ("POST", "/V1/creditmemo/refund"): MEMO, ("POST", "/V1/orders/:id/cancel"): CANCEL,
    ("POST", "/V1/orders/:id/hold"): HOLD, ("POST", "/V1/orders/:id/unhold"): UNHOLD}
ACTIONS = {"invoice": INVOICE, "ship": SHIPMENT, "refund": MEMO, "cancel": CANCEL, "hold": HOLD}
ORDER_SAVED, PRODUCT_SAVED = "observer.sales_order_save_commit_after", "observer.catalog_product_save_commit_after"
MAX_WAITING = 10_000  # events; more are lost, as nobody relies on them alone
TRIES = 3


class Outgoing:
    def __init__(self, shop):
        self._shop = shop
        self._waiting = queue.Queue(MAX_WAITING)
        threading.Thread(target=self._deliver, daemon=True).start()

    def ask(self, event, data):
        """Calls the webhooks of an event; ShopError 400 when one of them forbids it, or a required one does not answer.
        Not under the shop's lock: who is asked may look at the shop first."""
        if event is None or not self._is_commerce:
            return
        for hook in self._shop.settings.webhooks:
            if hook["event"] != event:
                continue
            try:
                asked = {"event": event, **self._fields(data), **plain(data)}
                operations = _post(hook["url"], asked, hook.get("timeout_s", 5), hook.get("headers"))
            except (OSError, ValueError, http.client.HTTPException):
                if hook.get("required", True):
                    raise ShopError(400,
                                    hook.get("fallback", "Cannot perform the operation due to an error.")) from None
                continue
            for operation in operations if isinstance(operations, list) else [operations]:
                if operation.get("op") == "exception":
                    raise ShopError(400, operation.get("message") or "The operation was stopped.")

    def _fields(self, data):
        """What a merchant chooses from what a webhook may send: the order's entity id, and the document's comment."""
        kind, _, rest = data["path"].removeprefix("/V1/").partition("/")
        said, number = data["data"] if isinstance(data["data"], dict) else {}, rest.partition("/")[0]
        with self._shop.lock:
            try:
                if "increment_id" in said:
                    order_id = self._shop.sales.by_increment(said["increment_id"])["entity_id"]
                elif kind == "invoice":
                    order_id = self._shop.sales.invoice(int(number))["order_id"]
                elif kind == "creditmemo":
                    order_id = said["creditmemo"]["order_id"]
                else:
                    order_id = int(number)
            except (KeyError, ValueError, ShopError):
                order_id = None
        comments = [said.get("comment"), *((said.get("creditmemo") or {}).get("comments") or [])]
        return {"order_id": order_id, "comment": next((c["comment"] for c in comments if isinstance(c, dict)), None)}

    def tell(self, event, value):
        """Sends an event later, in the order in which they were told."""
        if self._is_commerce and self._shop.settings.events_url and not self._waiting.full():
            self._waiting.put((self._shop.settings.events_url, event, plain(value)))

    def close(self):
        self._waiting.put(None)

    @property
    def _is_commerce(self):
        return self._shop.settings.commerce and not self._shop.settings.old

    def _deliver(self):
        while (work := self._waiting.get()) is not None:
            url, event, value = work
            for _ in range(TRIES):
                try:
                    _post(url, {"event": {"name": event, "value": value}}, timeout_s=5)
                    break
                except (OSError, ValueError, http.client.HTTPException):
                    continue  # and after the last try it is lost


def _post(url, value, timeout_s, headers=None):
    """What the other side answers. ValueError unless that is 2xx with JSON, or with nothing."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=timeout_s)
    try:
        connection.request("POST", parts.path or "/", dump(value).encode(), {"Content-Type": "application/json", **(headers or {})})
        response = connection.getresponse()
        text = response.read()
    finally:
        connection.close()
    if response.status // 100 != 2:
        raise ValueError(f"{url}: HTTP {response.status}")
    return json.loads(text) if text else {"op": "success"}
