"""Websites, store groups, store views and their configuration."""

from .errors import ShopError

ADMIN = {"id": 0, "code": "admin", "name": "Admin", "website_id": 0, "store_group_id": 0, "is_active": 1}


class Stores:
    """One website with one view until `load` says otherwise."""

    def __init__(self):
        self.load({})

    def load(self, asked):
        """{websites: [{id, code, name}], groups: [{id, website_id, name, code}],
        views: [{id, code, name, website_id, store_group_id, locale, base_currency_code, default_display_currency_code,
        base_url, base_media_url, timezone, weight_unit}]}"""
        self.websites = [
            {"default_group_id": n, **website} for n, website in
            enumerate(asked.get("websites") or [{"id": 1, "code": "base", "name": "Main Website"}], 1)]
        self.groups = asked.get("groups") or [
            {"id": w["id"], "website_id": w["id"], "root_category_id": 2, "default_store_id": w["id"],
             "name": w["name"],
             "code": f"{w['code']}_store"} for w in self.websites]
        self._views = [_view(view) for view in asked.get("views")
                       or [{"id": 1, "code": "default", "name": "Default Store View"}]]
        known = {website["id"] for website in self.websites}
        for view in self._views:
            if view["website_id"] not in known:
                raise ValueError(f"store view {view['code']}: there is no website {view['website_id']}")

    def knows(self, code):
        return code in ("all", "default") or any(view["code"] == code for view in self._views)

    def view(self, key):
        """A store view by id or code; "all" is the administration's (id 0)."""
        if key in ("all", 0, "0", "admin"):
            return ADMIN
        for view in self._views:
            if key in (view["id"], view["code"], str(view["id"])):
                return view
        if key == "default":
            return self._views[0]
        raise ShopError(404, "The store that was requested wasn't found. Verify the store and try again.")

    def website(self, key):
        for website in self.websites:
            if key in (website["id"], website["code"]):
                return website
        raise ShopError(404,
                        "The website with id %1 that was requested wasn't found. Verify the website and try again.",
                        [key])

    def website_of(self, view):
        return self.website(view["website_id"])

    def views(self):
        keys = ("id", "code", "name", "website_id", "store_group_id", "is_active")
        return [{key: view[key] for key in keys} for view in self._views]

    def configurations(self):
        keys = ("id", "code", "website_id", "locale", "base_currency_code", "default_display_currency_code", "timezone",
                "weight_unit", "base_url", "base_link_url", "base_static_url", "base_media_url", "secure_base_url",
                "secure_base_link_url", "secure_base_static_url", "secure_base_media_url")
        return [{key: view[key] for key in keys} for view in self._views]


def _view(asked):
    base = asked.get("base_url", "http://shop.example/")
    media = asked.get("base_media_url", f"{base}media/")
    view = {
        "name": asked["code"], "website_id": 1, "is_active": 1, "locale": "en_US", "base_currency_code": "USD",
        "timezone": "America/Chicago", "weight_unit": "kgs", "base_url": base, "base_link_url": base,
        "base_static_url": f"{base}static/", "base_media_url": media, "secure_base_url": base,
        "secure_base_link_url": base,
        "secure_base_static_url": f"{base}static/", "secure_base_media_url": media, **asked}
    view.setdefault("store_group_id", view["website_id"])
    view.setdefault("default_display_currency_code", view["base_currency_code"])
    return view
