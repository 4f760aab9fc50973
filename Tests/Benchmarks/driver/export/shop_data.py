"""What the simulated shop has: products as large as a fashion shop's, orders of 20 lines, and its set-up.

Products are answered with the fields that the catalog service asks for (`ShopReader.criteria`), orders whole, with the
columns of Magento 2.4 that orders of this kind fill.
"""

import json
from collections.abc import Iterator
from pathlib import Path

LINES = 20
MAPPING = """
website base = EU-STORE vat-country=DE
attribute product color = colour
"""
# Variants come right before their configurable product: with pages of 300 they are on the same one.
FAMILY = 20
COLOURS = [{"label": name, "value": str(50 + index)} for index, name in enumerate(["Black", "Blue", "Red", "White"])]
ANSWERS = {
    "store/websites": [{"id": 1, "code": "base", "name": "Main Website", "default_group_id": 1}],
    "store/storeViews": [
        {"id": 1, "code": "default", "name": "Default Store View", "website_id": 1, "store_group_id": 1, "is_active": 1}
    ],
    "store/storeConfigs": [
        {
            "id": 1,
            "code": "default",
            "website_id": 1,
            "locale": "en_US",
            "base_currency_code": "EUR",
            "default_display_currency_code": "EUR",
            "timezone": "Europe/Berlin",
            "base_url": "http://shop.example/",
            "base_media_url": "http://shop.example/media/",
        }
    ],
    "modules": ["Magento_Store", "Magento_Catalog", "Magento_Sales"],
    "products/attributes/color": {"attribute_code": "color", "frontend_input": "select", "options": COLOURS},
}
DESCRIPTION = (
    "<p>Made for long days: a light, closely woven fabric that dries quickly, seams that lie flat, and a cut that "
    "leaves room to move. The collar can be folded up, the cuffs have two buttons each.</p><ul><li>Machine wash at 30 "
    "degrees</li><li>Do not tumble dry</li><li>Ships within two days</li></ul>"
)


def write(folder: Path, products: int, orders: int) -> None:
    """Writes what the program shop-and-oms reads."""
    _write_lines(folder / "products", (_product(number) for number in range(1, products + 1)))
    _write_lines(folder / "orders", (_order(number, products) for number in range(1, orders + 1)))
    lines = (f"{route}\t{json.dumps(answer)}\n" for route, answer in ANSWERS.items())
    (folder / "answers").write_text("".join(lines))


def _write_lines(path: Path, items: Iterator[dict]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for item in items:
            file.write(json.dumps(item, separators=(",", ":")) + "\n")


def _product(number: int) -> dict:
    is_configurable = number % FAMILY == 0
    name = f"Trail Shirt {number // FAMILY}"
    image = f"/t/s/ts{number:06d}-main.jpg"
    attributes = {
        "image": image,
        "small_image": image,
        "thumbnail": image,
        "url_key": f"trail-shirt-{number}",
        "description": DESCRIPTION,
        "short_description": f"<p>{name}, in all colours of the season.</p>",
        "meta_title": name,
        "meta_keyword": "shirt, trail, outdoor",
        "options_container": "container2",
        "msrp_display_actual_price_type": "0",
        "tax_class_id": "2",
        "required_options": "0",
        "has_options": "1" if is_configurable else "0",
        "category_ids": ["2", "14", str(20 + number % 12)],
        "color": None if is_configurable else COLOURS[number % len(COLOURS)]["value"],
    }
    links = list(range(number - 4, number)) if is_configurable else []
    return {
        "id": number,
        "sku": sku(number),
        "name": name,
        "price": 20 + number % 400 / 4,
        "status": 1,
        "type_id": "configurable" if is_configurable else "simple",
        "created_at": "2024-02-03 04:05:06",
        "updated_at": "2024-05-06 07:08:09",
        "weight": 0.35,
        "extension_attributes": {"configurable_product_links": links},
        "custom_attributes": [
            {"attribute_code": code, "value": value} for code, value in attributes.items() if value is not None
        ],
    }


def sku(number: int) -> str:
    return f"TRAIL-{number:06d}"


def _order(number: int, products: int) -> dict:
    items = [_item(number, line, products) for line in range(LINES)]
    net = sum(item["row_total"] for item in items)
    tax = round(sum(item["tax_amount"] for item in items), 2)
    total = round(net + tax + 5 + 0.95, 2)
    billing, shipping = (_address(number, kind) for kind in ("billing", "shipping"))
    money = {
        "grand_total": total,
        "subtotal": net,
        "subtotal_incl_tax": round(net + tax, 2),
        "tax_amount": round(tax + 0.95, 2),
        "discount_amount": 0,
        "shipping_amount": 5,
        "shipping_tax_amount": 0.95,
        "shipping_incl_tax": 5.95,
        "shipping_discount_amount": 0,
        "shipping_discount_tax_compensation_amount": 0,
        "discount_tax_compensation_amount": 0,
        "total_due": total,
    }
    return {
        "entity_id": number,
        "increment_id": f"{number:09d}",
        "store_id": 1,
        "store_name": "Main Website\nMain Website Store\nDefault Store View",
        "state": "new",
        "status": "pending",
        "created_at": "2024-05-06 07:08:09",
        "updated_at": "2024-05-06 07:08:09",
        "remote_ip": "203.0.113.9",
        "order_currency_code": "EUR",
        "base_currency_code": "EUR",
        "global_currency_code": "EUR",
        "store_currency_code": "EUR",
        "base_to_order_rate": 1,
        "base_to_global_rate": 1,
        **money,
        **{f"base_{name}": value for name, value in money.items()},
        "shipping_description": "Flat Rate - Fixed",
        "customer_id": 1000 + number,
        "customer_is_guest": 0,
        "customer_group_id": 1,
        "customer_firstname": "Ann",
        "customer_lastname": f"Example {number}",
        "customer_email": f"ann{number}@example.com",
        "is_virtual": 0,
        "quote_id": number,
        "protect_code": f"{number:032x}",
        "total_item_count": LINES,
        "total_qty_ordered": LINES,
        "weight": LINES * 0.35,
        "billing_address": billing,
        "payment": {
            "entity_id": number,
            "parent_id": number,
            "method": "checkmo",
            "amount_ordered": total,
            "base_amount_ordered": total,
            "shipping_amount": 5,
            "last_trans_id": None,
            "additional_information": ["Check / Money order"],
        },
        "items": items,
        "status_histories": [],
        "extension_attributes": {
            "shipping_assignments": [
                {"shipping": {"address": shipping, "method": "flatrate_flatrate"}, "items": items}
            ],
            "applied_taxes": [_tax(tax + 0.95)],
            "item_applied_taxes": [
                {"type": "product", "item_id": item["item_id"], "applied_taxes": [_tax(item["tax_amount"])]}
                for item in items
            ]
            + [{"type": "shipping", "applied_taxes": [_tax(0.95)]}],
        },
    }


def _tax(amount: float) -> dict:
    amount = round(amount, 2)
    return {"code": "DE-19", "title": "DE-19", "percent": 19, "amount": amount, "base_amount": amount}


def _item(order: int, line: int, products: int) -> dict:
    # Never a configurable product: those are bought as their variants.
    number = (order * 131 + line * 17) % products // FAMILY * FAMILY + 1 + line % (FAMILY - 1)
    price = 20 + line
    tax = round(price * 0.19, 2)
    money = {
        "price": price,
        "price_incl_tax": round(price + tax, 2),
        "original_price": price,
        "row_total": price,
        "row_total_incl_tax": round(price + tax, 2),
        "tax_amount": tax,
        "discount_amount": 0,
        "discount_tax_compensation_amount": 0,
        "row_invoiced": 0,
        "amount_refunded": 0,
    }
    return {
        "item_id": order * LINES + line,
        "order_id": order,
        "quote_item_id": order * LINES + line,
        "product_id": number,
        "product_type": "simple",
        "sku": sku(number),
        "name": f"Trail Shirt {number // FAMILY}",
        "store_id": 1,
        "is_virtual": 0,
        "is_qty_decimal": 0,
        "free_shipping": 0,
        "weight": 0.35,
        "row_weight": 0.35,
        "qty_ordered": 1,
        "qty_invoiced": 0,
        "qty_shipped": 0,
        "qty_canceled": 0,
        "qty_refunded": 0,
        "tax_percent": 19,
        "discount_percent": 0,
        "weee_tax_applied_row_amount": 0,
        "created_at": "2024-05-06 07:08:09",
        "updated_at": "2024-05-06 07:08:09",
        **money,
        **{f"base_{name}": value for name, value in money.items()},
    }


def _address(order: int, kind: str) -> dict:
    return {
        "entity_id": 2 * order + (kind == "shipping"),
        "parent_id": order,
        "address_type": kind,
        "firstname": "Ann",
        "lastname": f"Example {order}",
        "street": ["Way 1", "2nd floor"],
        "city": "Ulm",
        "region": "Baden-Württemberg",
        "region_code": "BAW",
        "postcode": "89073",
        "country_id": "DE",
        "telephone": "0731 1234567",
        "email": f"ann{order}@example.com",
    }
