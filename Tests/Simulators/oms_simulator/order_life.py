"""One order as the OMS keeps it, and the messages in which the OMS tells what becomes of it (messages.md §4.4–§4.7)."""

import copy
import threading
from datetime import datetime, timedelta, timezone
from decimal import Decimal

from .quirks import STANDARD

SALES, LOGISTICS = "magento.sales.order_management.", "magento.logistics."
CREATE = SALES + "create"
SHIPMENT_DONE = LOGISTICS + "fulfillment_management.customer_shipment_done"
ENDED = ("SHIPPED", "CANCELLED")


class Calendar:
    """Moments of the OMS: each later than the one before by a second, so that what was said later is dated later."""

    def __init__(self, began=None):
        self._lock = threading.Lock()
        self._now = (began or datetime.now(timezone.utc)).replace(microsecond=0)

    def next(self, quirks=STANDARD):
        with self._lock:
            self._now += timedelta(seconds=1)
            return self._now.isoformat(sep=" " if quirks.blank_in_dates else "T")


class OrderLife:
    """Each method returns (method, params) of one message, and remembers what it says."""

    def __init__(self, order, quirks=STANDARD, calendar=None):
        """`order`: that of the message which created it."""
        self.order = copy.deepcopy(order)
        self.quirks = quirks
        self.calendar = calendar or Calendar()
        self._shipments = 0

    @property
    def id(self):
        return self.order["id"]

    @property
    def lines(self):
        return self.order["lines"]

    def line(self, number):
        return next(line for line in self.lines if line["line_number"] == number)

    def numbers(self, sku=None, count=None):
        """Numbers of lines that are goods and have not ended, the first `count` of that SKU."""
        found = [line["line_number"] for line in self.lines
                 if line["product_type"] in ("PHYSICAL", "VIRTUAL") and sku in (None, line["sku"])
                 and line.get("status") not in ENDED]
        if count is not None and len(found) < count:
            raise ValueError(f"order {self.id} has {len(found)} live lines of {sku}, not {count}")
        return found[:count]

    def gross(self, number):
        return Decimal(str(self.line(number)["amount"]["gross_amount"]))

    # Events of the order

    def created(self, status="RECEIVED", reason="IMPORTED"):
        return SALES + "created", self._told(status, reason)

    def updated(self, status, reason=""):
        return SALES + "updated", self._told(status, reason)

    def line_cancelled(self, number, reason="OUTOFSTOCK"):
        self._set(number, "CANCELLED", reason)
        return SALES + "line_cancelled", {"order_id": self.id, "order_line_id": self.line(number)["id"]}

    def cancelled(self, numbers=None, status="CANCELLED", reason="CUSTOMERREQ"):
        """All that has not ended, or those lines."""
        for number in self.numbers() if numbers is None else numbers:
            self._set(number, "CANCELLED", reason)
        return self.updated(status, reason)

    def attributes_updated(self, attributes, number=None):
        """`attributes`: {name: value}, of the order or of one line."""
        change = {"sales_channel_id": self.order["store"], "order_id": self.id, "user": "csr",
                  "custom_attributes": [{"name": name, "value": value} for name, value in attributes.items()]}
        if number is None:
            return SALES + "custom_attributes_updated", {"custom_attributes_modification": change}
        change.update(line_id=self.line(number)["id"], line_number=str(number))
        return SALES + "line_custom_attributes_updated", {"line_custom_attributes_modification": change}

    def address_updated(self, number=1, **changes):
        """The shipping address of a line, and with it of the order."""
        reference = self.line(number)["shipping_address_reference"]
        address = next(each for each in self.order["addresses"] if each["reference"] == reference)
        address.update(changes)
        return SALES + "shipping_address_updated", {"shipping_address_modification": {
            "sales_channel_id": self.order["store"], "order_id": self.id, "line_number": str(number), "user": "csr",
            "force": False, "new_shipping_address": copy.deepcopy(address)}}

    # Logistics

    def shipped(self, numbers, packages=None, source_id="WH-1", method=None):
        """`packages`: [{"lines": [numbers], "carrier", "tracking_number", …}]; without, one package of a made-up parcel
        service."""
        for number in numbers:
            self._set(number, "SHIPPED", "OSREPORT")
        return SHIPMENT_DONE, {"shipment": self._shipment(numbers, packages, source_id, method)}

    def asks_for_details(self, numbers, source_id="WH-1", method=None):
        """The query for carrier and tracking: packages without either."""
        shipment = self._shipment(numbers, [{"lines": numbers, "carrier": "", "tracking_number": ""}], source_id, method)
        return LOGISTICS + "carrier_management.request_shipping_details", {"shipment": shipment}

    def requests_shipment(self, numbers, source_id="WH-1"):
        """The command to the warehouse."""
        self._shipments += 1
        for number in numbers:
            self._set(number, "NEW" if self.quirks.lower_case_lines else "ITEM_PENDING_PICKING", "")
        method = self._shipping()
        params = {
            "request_id": f"{self.order['store']}-{self.id}-{self._shipments:02d}", "sales_channel": self.order["store"],
            "order_id": self.id, "source_id": source_id, "shipping_method": method and method["sku"],
            "shipping_price": method and copy.deepcopy(method["amount"]),
            "shipping_address": self._address(numbers[0]), "billing_address": self._billing(), "custom_details": [],
            "items": [self._item(number) for number in numbers],
            "aggregated_items": self._aggregated(numbers), "created": self.calendar.next(self.quirks),
            "customer_id": self.order["customer"]["id"], "language": self.order.get("language")}
        if self.quirks is not STANDARD:
            del params["shipping_method"], params["shipping_price"]
        return LOGISTICS + "warehouse_management.request_shipment", params

    # What they are made of

    def _told(self, status, reason):
        self.order.update(
            status=status, status_date=self.calendar.next(self.quirks),
            status_reason=reason.replace("_", "") if self.quirks.joined_words else reason)
        for line in self.lines:
            if not line.get("status"):
                line.update(status="NEW", status_reason="INITIALORDER", status_date=self.order["status_date"])
        told = copy.deepcopy(self.order)
        for line in told["lines"]:
            if self.quirks.lower_case_lines:
                line["status"] = line["status"].lower()
        if self.quirks.captures_announced:
            self._announce_capture(told)
        return {"order": told}

    def _announce_capture(self, told):
        """messages.md §2.7: the sum of what was shipped, and that it is to be captured."""
        shipped = [line for line in told["lines"] if line["status"] == "shipped"]
        for line in shipped:
            line["payments"] = [{"payment_reference": line["payment_reference"], **line["amount"],
                                 "status": "CAPTURE_REQUESTED", "status_date": told["status_date"]}]
        if shipped:
            total = sum(Decimal(str(line["amount"]["gross_amount"])) for line in shipped)
            told["payments"][0]["transactions"][0]["amount"] = float(total)

    def _set(self, number, status, reason):
        self.line(number).update(status=status, status_reason=reason, status_date=self.calendar.next(self.quirks))

    def _shipping(self):
        return next((line for line in self.lines if line["product_type"] == "SHIPPING"), None)

    def _address(self, number):
        reference = self.line(number)["shipping_address_reference"]
        return copy.deepcopy(next(each for each in self.order["addresses"] if each["reference"] == reference))

    def _billing(self):
        reference = self.order["payments"][0]["transactions"][0]["billing_address_reference"]
        return copy.deepcopy(next(each for each in self.order["addresses"] if each["reference"] == reference))

    def _number(self, value):
        return str(value) if self.quirks.numbers_as_texts else value

    def _shipment(self, numbers, packages, source_id, method):
        self._shipments += 1
        quirks, shipping = self.quirks, self._shipping()
        shipment = {
            "store_id": self.order["store"], "order_id": self.id, "source_id": source_id,
            "method": method or (shipping["sku"] if shipping else "STANDARD"),
            "shipment_date": self.calendar.next(quirks),
            "items": [self._item(number) for number in numbers],
            "packages": [self._package(n, package) for n, package in enumerate(
                packages or [{"lines": numbers}], 1)]}
        if quirks.misspelt_shipment:
            return {**shipment, "shimpent_id": f"{self.id}-{self._shipments}", "address": {}}
        return {**shipment, "shipment_id": "", "address": self._address(numbers[0]),
                "shipment_request_id": f"{self.order['store']}-{self.id}-{self._shipments:02d}"}

    def _item(self, number):
        line = self.line(number)
        return {
            "order_line_id": line["id"], "order_line_number": self._number(number), "item_type": line["product_type"],
            "sku": line["sku"], "name": line.get("product_name"), "custom_details": [], "image_url": line.get("image_url"),
            "product_url": line.get("product_url"), "order_line_price": copy.deepcopy(line["amount"]),
            "order_line_promotions_info": copy.deepcopy(line.get("promotions_info")),
            "parent_order_line_number": line.get("parent_line_number"), "status": line.get("status"),
            "status_reason": line.get("status_reason"), "status_date": line.get("status_date")}

    def _package(self, number, asked):
        """`asked`: what is special about it."""
        quirks, numbers = self.quirks, asked["lines"]
        parcel = f"{self.id}-{self._shipments}-{number}"
        package = {
            "id": f"P-{parcel}", "items": [self._number(each) for each in numbers],
            "aggregated_items": self._aggregated(numbers), "carrier": "DHL", "tracking_number": f"T-{parcel}",
            "tracking_link": f"https://parcels.example/{parcel}", "tracking_comment": "", "shipping_label_link": "",
            "details": {"name": "box", "weight": 1.2, "weight_unit": "kg", "length": 30, "width": 20, "height": 10,
                        "dimensions_unit": "cm"},
            "custom_attributes": [], **{name: value for name, value in asked.items() if name != "lines"}}
        if quirks.empty_lists:
            package["details"] = []
            package["carrier"] += " "
        if quirks.misspelt_shipment:
            for name in ("carrier", "tracking_number", "tracking_link", "tracking_comment", "shipping_label_link", "details"):
                del package[name]
        return package

    def _units(self, number):
        """Of one line: an item with many units is not taken apart."""
        units = Decimal(str(self.line(number).get("quantity") or 1))
        return int(units) if units == int(units) else float(units)

    def _aggregated(self, numbers):
        """Lines of a SKU together."""
        grouped = {}
        for number in numbers:
            grouped.setdefault(self.line(number)["sku"], []).append(number)
        return [{
            "aggregated_line_id": str(n), "sku": sku, "quantity": self._number(sum(self._units(each) for each in found)),
            "order_lines": [self.line(each)["id"] for each in found] if self.quirks.items_in_packages else found,
        } for n, (sku, found) in enumerate(grouped.items(), 1)]
