"""Who may ask, what a search finds, how much fits into a call (magento-rules §4, magento-rest §1)."""

from urllib.parse import urlencode

from shop_case import MUG, Case, filters
from shop_simulator.oauth import signature

CONSUMER = {"consumer_secret": "cs", "token": "t", "token_secret": "ts"}


class Credentials(Case):
    def test_missing_permission_is_401_and_not_403(self):
        shop = self.shop(tokens={"narrow": ["Magento_Catalog::products"]})
        for token, path, status in (("narrow", "/V1/products?searchCriteria", 200),
                                    ("narrow", "/V1/orders?searchCriteria", 401),
                                    ("wrong", "/V1/products?searchCriteria", 401)):
            with self.subTest(token=token, path=path):
                got, answer = self.call(shop, "GET", path, authorization=f"Bearer {token}")
                self.assertEqual(got, status)
                if status == 401:
                    self.assertEqual(answer["message"], "The consumer isn't authorized to access %resources.")
                    self.assertIn("resources", answer["parameters"])

    def test_admin_tokens_fail_with_two_factor_login_on(self):
        shop = self.shop(admins={"ann": "pw"})
        asked = {"username": "ann", "password": "pw"}
        self.refused(shop, "POST", "/V1/integration/admin/token", asked, 400, "2fa")
        shop.settings.two_factor = False
        token = self.post(shop, "/V1/integration/admin/token", asked)
        self.assertEqual(self.call(shop, "GET", "/V1/modules", authorization=f"Bearer {token}")[0], 200)
        shop.clock.move(4 * 3600 + 1)
        self.assertEqual(self.call(shop, "GET", "/V1/modules", authorization=f"Bearer {token}")[0], 401)
        self.refused(shop, "POST", "/V1/integration/admin/token", {**asked, "password": "no"}, 401, "incorrect")

    def test_integration_token_as_bearer_can_be_switched_off(self):
        shop = self.shop(bearer_integration_tokens=False)
        self.assertEqual(self.call(shop, "GET", "/V1/modules")[0], 401)

    def test_signature_of_rfc_5849_is_checked_with_all_parameters(self):
        shop = self.shop(consumers={"ck": CONSUMER})
        path = "/V1/products?" + filters([("name", "like", "%ü& =b%")], size=2)
        for change, status in (({}, 200), ({"oauth_nonce": "2", "secret": "other"}, 401),
                               ({"oauth_nonce": "3", "url": "?x=1"}, 401),
                               ({}, 401), ({"oauth_nonce": "4", "oauth_signature_method": "HMAC-SHA1"}, 400)):
            with self.subTest(change=change):
                self.assertEqual(self.call(shop, "GET", path,
                                           authorization=self.signed(shop, "GET", path, **change))[0], status)

    def test_signature_of_the_example_of_rfc_5849(self):
        # RFC 5849 §1.2, with SHA-256; the signature is what openssl makes of its base string.
        given = {"oauth_consumer_key": "dpf43f3p2l4k3l03", "oauth_token": "nnch734d00sl2jdk", "oauth_nonce": "chapoH",
                 "oauth_timestamp": "137131202", "oauth_signature_method": "HMAC-SHA256"}
        url = "http://photos.example.net/photos?file=vacation.jpg&size=original"
        self.assertEqual(signature("GET", url, given, "kd94hf93k423kf44", "pfkkdhi9sl3r4s00"),
                         "HtMwoX2zenlFjgGg/SNEoKEQmL7CzxYFEKzs7er044Y=")

    def signed(self, shop, verb, path, url="", secret="cs", **change):
        given = {"oauth_consumer_key": "ck", "oauth_token": "t", "oauth_signature_method": "HMAC-SHA256",
                 "oauth_nonce": "1",
                 "oauth_timestamp": str(shop.clock.now()), **change}
        given["oauth_signature"] = signature(verb, f"{shop.url}/rest{path}{url}", given, secret, "ts")
        return "OAuth " + ", ".join(f'{k}="{urlencode({"": v})[1:]}"' for k, v in given.items())


class Searching(Case):
    PRODUCTS = [{"sku": f"P{n}", "name": f"Product {n}", "price": str(n), "type": "virtual" if n % 2 else "simple",
                 "attributes": {"color": str(n % 3)} if n != 5 else {}} for n in range(1, 8)]

    def test_groups_are_joined_by_and_and_filters_by_or(self):
        shop = self.shop(self.PRODUCTS)
        for groups, expected in (
            ([[("sku", "eq", "P3")]], "3"), ([[("sku", "eq", "P3"), ("sku", "eq", "P4")]], "34"),
            ([[("type_id", "eq", "virtual")], [("price", "gt", "3")]], "57"),
            ([[("price", "from", "2")], [("price", "to", "4")]], "234"),
            ([[("sku", "in", "P1,P7,P9")]], "17"), ([[("sku", "nin", "P1,P2,P3,P4,P5")]], "67"),
            ([[("name", "like", "%t 6")]], "6"),
            ([[("color", "null", "")]], "5"), ([[("color", "notnull", "")], [("price", "lteq", "2")]], "12"),
            ([[("price", "neq", "1")], [("price", "lt", "3")]], "2"), ([[("entity_id", "gteq", "6")]], "67"),
        ):
            with self.subTest(groups=groups):
                answer = self.get(shop, "/V1/products?" + filters(*groups, size=100, sort=[("entity_id", "ASC")]))
                self.assertEqual("".join(p["sku"][1:] for p in answer["items"]), expected)
                self.assertEqual(answer["total_count"], len(expected))

    def test_page_past_the_end_repeats_the_last_one(self):
        shop = self.shop(self.PRODUCTS)
        pages = [self.get(shop, "/V1/products?" + filters(size=3, page=page, sort=[("price", "DESC")]))
                 for page in (1, 2, 3, 4, 9)]
        self.assertEqual(["".join(p["sku"][1:] for p in page["items"]) for page in pages],
                         ["765", "432", "1", "1", "1"])
        self.assertEqual({page["total_count"] for page in pages}, {7})

    def test_fields_trim_the_answer(self):
        shop = self.shop(self.PRODUCTS)
        self.assertEqual(
            self.get(shop, "/V1/products?" + filters(size=1)
                     + "&fields=items[sku,extension_attributes[website_ids]],total_count"),
            {"items": [{"sku": "P1", "extension_attributes": {"website_ids": [1]}}], "total_count": 7})

    def test_localized_name_comes_with_the_store_view(self):
        shop = self.shop([])
        shop.stores.load({"views": [{"id": 1, "code": "default"}, {"id": 2, "code": "de", "locale": "de_DE"}]})
        shop.catalog.put({"sku": "MUG", "name": "Mug", "localized": {"de": {"name": "Becher"}}})
        for path, name in (("/V1", "Mug"), ("/all/V1", "Mug"), ("/de/V1", "Becher")):
            self.assertEqual(self.get(shop, f"{path}/products/MUG")["name"], name)
        self.assertEqual(self.get(shop, "/V1/products?storeId=2&searchCriteria")["items"][0]["name"], "Becher")
        self.refused(shop, "GET", "/fr/V1/products/MUG", None, 404, "does not match any route")


class Limits(Case):
    def rows(self, count):
        return {"sourceItems": [{"sku": f"S{n}", "source_code": "default", "quantity": 1, "status": 1}
                                for n in range(count)]}

    def test_synchronous_bodies_have_at_most_20_entities(self):
        shop = self.shop()
        self.post(shop, "/V1/inventory/source-items", self.rows(20))
        answer = self.refused(shop, "POST", "/V1/inventory/source-items", self.rows(21), 400,
                              'Maximum items of type "%type" is %max')
        self.assertEqual(answer["parameters"]["max"], 20)
        shop.settings.input_limits = False
        self.post(shop, "/V1/inventory/source-items", self.rows(21))

    def test_asynchronous_bodies_have_at_most_5000_entities(self):
        shop = self.shop()
        self.assertEqual(self.call(shop, "POST", "/async/V1/inventory/source-items", self.rows(5000))[0], 202)
        self.refused(shop, "POST", "/async/V1/inventory/source-items", self.rows(5001), 400, "Maximum items")

    def test_pages_have_at_most_300_and_by_default_20(self):
        shop = self.shop([{**MUG, "sku": f"S{n}"} for n in range(30)])
        self.refused(shop, "GET", "/V1/products?" + filters(size=301), None, 400,
                     "Maximum SearchCriteria pageSize is %max")
        self.assertEqual(len(self.get(shop, "/V1/products?searchCriteria")["items"]), 20)
        shop.settings.input_limits = False
        self.assertEqual(len(self.get(shop, "/V1/products?searchCriteria")["items"]), 30)


class Times(Case):
    def test_updated_at_is_stamped_at_the_statement_and_visible_at_the_commit(self):
        shop = self.shop()
        shop.clock.fix(1_700_000_000)
        held = shop.uncommitted.hold(lambda: shop.catalog.put({"sku": "MUG", "name": "Later"}))
        shop.clock.move(30)
        shop.catalog.put({"sku": "CUP"})
        self.assertNotEqual(self.get(shop, "/V1/products/MUG")["name"], "Later")
        shop.uncommitted.commit(held)
        found = self.get(shop, "/V1/products?" + filters([("updated_at", "gt", "2023-11-14 22:13:00")],
                                                         size=10))["items"]
        self.assertEqual({p["sku"]: p["updated_at"] for p in found},
                         {"MUG": "2023-11-14 22:13:20", "CUP": "2023-11-14 22:13:50"})
