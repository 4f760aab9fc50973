"""/V1/products."""

from ..dispatch import Text
from ..query import parse_fields, trimmed
from ..routing import route
from ..search import Criteria
from ..values import dump

PRODUCTS = "Magento_Catalog::products"


@route("GET", "/V1/products", PRODUCTS)
def products(shop, call):
    criteria = Criteria(call.query, shop.settings)
    view_id = _view_id(shop, call)
    found = shop.catalog.search(criteria, view_id)
    page = criteria.cut(found)
    shop.faults.check_rows("/V1/products", [product.sku for product in page])
    rest = {"search_criteria": criteria.as_json(), "total_count": len(found)}
    if "fields" in call.query:
        asked = str(call.query["fields"])
        fields = parse_fields(asked)
        items = Text("[" + ",".join(product.text(view_id, asked, fields.get("items")) for product in page) + "]")
        rest = trimmed(rest, {name: inner for name, inner in fields.items() if name != "items"})
        if "items" not in fields:
            return rest
        return Text('{"items":' + items + ("," + dump(rest)[1:] if rest else "}"))
    return Text('{"items":[' + ",".join(product.text(view_id) for product in page) + "]," + dump(rest)[1:])


@route("GET", "/V1/products/:sku", PRODUCTS)
def product(shop, call):
    return shop.catalog.get(call.parameters["sku"]).as_json(_view_id(shop, call), stock_item=True)


@route("GET", "/V1/products/:sku/media", PRODUCTS)
def media(shop, call):
    image = shop.catalog.get(call.parameters["sku"]).attribute("image")
    return [{"id": 1, "media_type": "image", "label": None, "position": 1, "disabled": False, "types": ["image"],
             "file": image}] if image else []


@route("GET", "/V1/products-render-info", None)
def render_info(shop, call):
    view = shop.stores.view(call.query.get("storeId", "default"))
    criteria = Criteria(call.query, shop.settings)
    found = shop.catalog.search(criteria, view["id"])
    base = next(c["base_media_url"] for c in shop.stores.configurations() if c["id"] == view["id"])
    items = [{"id": p.id, "name": p.value("name", view["id"]), "type": p.type, "store_id": view["id"],
              "currency_code": call.query.get("currencyCode", "USD"), "url": None, "is_salable": "1",
              "images": [{"url": f"{base}catalog/product{p.attribute('image') or ''}",
                          "code": "recently_viewed_products_grid_content_widget"}],
              "price_info": {"final_price": p.price, "regular_price": p.price}} for p in criteria.cut(found)]
    return {"items": items}


def _view_id(shop, call):
    return shop.stores.view(call.query.get("storeId", call.store))["id"]
