"""/V1/store."""

from ..routing import route
from ..stores import ADMIN

STORE = "Magento_Backend::store"


@route("GET", "/V1/store/websites", STORE)
def websites(shop, _):
    return [{"id": 0, "code": "admin", "name": "Admin", "default_group_id": 0}, *shop.stores.websites]


@route("GET", "/V1/store/storeGroups", STORE)
def groups(shop, _):
    return [{"id": 0, "website_id": 0, "root_category_id": 0, "default_store_id": 0, "name": "Default",
             "code": "default"},
            *shop.stores.groups]


@route("GET", "/V1/store/storeViews", STORE)
def views(shop, _):
    return [ADMIN, *shop.stores.views()]


@route("GET", "/V1/store/storeConfigs", STORE)
def configurations(shop, _):
    return shop.stores.configurations()
