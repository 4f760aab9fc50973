"""What the tests of the shop simulator share: a shop, and a caller that knows nothing of the simulator but its
address."""

import http.client
import json
import os
import sys
import unittest
from decimal import Decimal
from urllib.parse import urlencode

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from shop_simulator import Shop, place  # noqa: E402

MUG = {"sku": "MUG", "price": "10", "weight": "0.4", "stock": {"qty": 100}}
KIT = {"sku": "KIT", "type": "bundle", "stock": {"qty": 0}}


def filters(*groups, size=None, page=None, sort=None):
    """A query string: each group a list of (field, condition, value)."""
    pairs = {}
    for g, group in enumerate(groups):
        for f, (field, condition, value) in enumerate(group):
            at = f"searchCriteria[filter_groups][{g}][filters][{f}]"
            pairs.update({f"{at}[field]": field, f"{at}[condition_type]": condition, f"{at}[value]": value})
    for name, value in (("pageSize", size), ("currentPage", page)):
        if value is not None:
            pairs[f"searchCriteria[{name}]"] = value
    for n, (field, direction) in enumerate(sort or ()):
        pairs.update({f"searchCriteria[sortOrders][{n}][field]": field,
                      f"searchCriteria[sortOrders][{n}][direction]": direction})
    return urlencode(pairs) or "searchCriteria"


class Case(unittest.TestCase):
    def shop(self, products=(MUG,), **settings):
        shop = Shop(**settings)
        shop.up()
        self.addCleanup(shop.close)
        for product in products:
            shop.catalog.put(product)
        return shop

    def call(self, shop, verb, path, body=None, authorization="Bearer shop-token", prefix="/rest"):
        """(status, answer); numbers are Decimals. An answer that isn't JSON comes as text."""
        connection = http.client.HTTPConnection(shop.url.removeprefix("http://"), timeout=20)
        try:
            headers = {"Content-Type": "application/json",
                       **({"Authorization": authorization} if authorization else {})}
            connection.request(verb, prefix + path, None if body is None else json.dumps(body, default=str), headers)
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        try:
            return response.status, json.loads(text, parse_float=Decimal)
        except ValueError:
            return response.status, text

    def get(self, shop, path, **options):
        status, answer = self.call(shop, "GET", path, **options)
        self.assertEqual(status, 200, answer)
        return answer

    def post(self, shop, path, body=None):
        status, answer = self.call(shop, "POST", path, {} if body is None else body)
        self.assertEqual(status, 200, answer)
        return answer

    def refused(self, shop, verb, path, body, status, said):
        """The call is answered with that status, and a message that contains the text."""
        got, answer = self.call(shop, verb, path, body)
        self.assertEqual(got, status, answer)
        self.assertIn(said, answer["message"])
        return answer

    def order(self, shop, *lines, **asked):
        """Places an order: SKUs, (SKU, quantity) or whole lines. Without tax and shipping unless asked for."""
        made = [{"sku": line} if isinstance(line, str) else {"sku": line[0], "quantity": line[1]}
                if isinstance(line, tuple) else line
                for line in lines]
        return place(shop, {"shipping": {"amount": "0"}, "lines": made, **asked})

    def shown(self, shop, order):
        return self.get(shop, f"/V1/orders/{order['entity_id']}")
