"""What configurable products and bundles are made of."""

from ..errors import ShopError
from ..routing import route
from .products import PRODUCTS


@route("GET", "/V1/configurable-products/:sku/children", PRODUCTS)
def variants(shop, call):
    product = shop.catalog.get(call.parameters["sku"])
    return [child.as_json(0) for child in map(shop.catalog.find, product.variants) if child]


@route("GET", "/V1/bundle-products/:productSku/children", PRODUCTS)
def selections(shop, call):
    return [link for option in _bundle(shop, call).bundle_options() for link in option["product_links"]]


@route("GET", "/V1/bundle-products/:productSku/options/all", PRODUCTS)
def options(shop, call):
    return _bundle(shop, call).bundle_options()


@route("GET", "/V1/products/:sku/links/:type", PRODUCTS)
def links(shop, call):
    shown = shop.catalog.get(call.parameters["sku"]).as_json(0)["product_links"]
    return [link for link in shown if link["link_type"] == call.parameters["type"]]


def _bundle(shop, call):
    product = shop.catalog.get(call.parameters["productSku"])
    if product.type != "bundle":
        raise ShopError(400, "This is implemented for bundle products only.")
    return product
