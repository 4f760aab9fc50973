"""Orders in the form of Magento's sample data: customers, tax rates and what they bought, in three CSV files."""

import csv
import json

from . import checkout
from .errors import ShopError

REGIONS = {"Michigan": "MI"}


def place(shop, orders, customers=None, tax_rates=None):
    """Places the orders of a file. Returns [(order, whether it is to be refunded)]. `customers`, `tax_rates`: paths."""
    people = {row["email"]: (number, row) for number, row in enumerate(_rows(customers), 1)}
    rates = _rows(tax_rates)
    placed = []
    for row in _rows(orders):
        number, person = people.get(row["customer_email"], (None, None))
        address = _address(person) if person else {}
        asked = {
            "currency": row["currency"], "base_currency": row["currency"], "payment": row["payment"],
            "shipping": {"method": row["shipping_method"], "amount": "5"}, "billing_address": address,
            "lines": [_line(shop, json.loads(row["product"]))], "tax_rate": _rate(rates, address),
            "customer": {"email": row["customer_email"], **({"id": number} if person else {}),
                         **{name: person[name] for name in ("firstname", "lastname") if person}}}
        placed.append((checkout.place(shop, asked), row["refund"] == "yes"))
    return placed


def _rows(path):
    if path is None:
        return []
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _address(person):
    return {"firstname": person["firstname"], "lastname": person["lastname"], "city": person["city"],
            "street": [line for line in json.loads(person["street"]) if line], "country_id": person["country_id"],
            "postcode": person["postcode"], "telephone": person["telephone"], "region": person["region"],
            "region_code": REGIONS.get(person["region"], person["region"])}


def _rate(rates, address):
    for rate in rates:
        if rate["tax_country_id"] == address.get("country_id") and rate["tax_region_name"] == address.get("region"):
            return rate["rate"]
    return "0"


def _line(shop, product):
    """A configurable product is bought by the labels of its options."""
    line = {"sku": product["sku"], "quantity": product["qty"]}
    labels = product.get("configurable_options")
    if labels:
        wanted = {code: shop.catalog.attributes.put(code).get(label) for code, label in labels.items()}
        fitting = [sku for sku in shop.catalog.get(product["sku"]).variants
                   if all(shop.catalog.get(sku).attribute(code) == value for code, value in wanted.items())]
        if not fitting:
            raise ShopError(400, f"{product['sku']}: no variant is {labels}")
        line["variant"] = fitting[0]
    return line
