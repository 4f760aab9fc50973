"""Addresses of orders."""

USUAL = {"firstname": "Ann", "lastname": "Example", "street": ["1 Main Street"], "city": "Springfield",
         "postcode": "62701",
         "country_id": "US", "region": "Illinois", "region_code": "IL", "telephone": "555-0100"}


def address(order, kind, asked):
    """`kind`: billing or shipping. What isn't asked for is made up."""
    return {"address_type": kind, "entity_id": order.shop.sales.next("address"), "parent_id": order["entity_id"],
            "email": order["customer_email"], **USUAL, **asked}
