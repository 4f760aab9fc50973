"""/V1/inventory/source-items: one invalid row fails the whole batch (magento-rules §4)."""

from ..errors import ShopError
from ..products import COMPOSITE
from ..routing import route
from ..search import Criteria
from ..values import decimal

ASSIGN = "Magento_InventoryApi::stock_source_item_assign"


@route("GET", "/V1/inventory/source-items", "Magento_InventoryApi::source", module="msi")
def source_items(shop, call):
    criteria = Criteria(call.query, shop.settings)
    found = shop.stock.msi.search(criteria)
    return {"items": criteria.cut(found), "search_criteria": criteria.as_json(), "total_count": len(found)}


@route("POST", "/V1/inventory/source-items", ASSIGN, module="msi")
def save(shop, call):
    rows = call.need("sourceItems")
    if not rows:
        raise ShopError(400, "Input data is empty")
    wanted = {}
    for row in rows:
        wanted.setdefault(row.get("sku"), set()).add(row.get("source_code"))
    errors = [error for row in rows for error in _errors(shop, row, wanted)]
    if errors:
        raise ShopError(400, "Validation Failed", errors=errors)
    shop.faults.check_rows("/V1/inventory/source-items", [row.get("sku") for row in rows])
    for row in rows:
        shop.stock.msi.put(row["source_code"], str(row["sku"]), decimal(row["quantity"]), int(row.get("status", 1)))
    return []


@route("POST", "/V1/inventory/source-items-delete", ASSIGN, module="msi")
def delete(shop, call):
    rows = call.need("sourceItems")
    if not rows:
        raise ShopError(400, "Input data is empty")
    for row in rows:
        shop.stock.msi.remove(row.get("source_code"), row.get("sku"))
    return []


def _errors(shop, row, wanted):
    sku = str(row.get("sku") or "")
    if not sku:
        yield ShopError(400, '"%field" can not be empty.', {"field": "sku"})
    elif sku != sku.strip():
        yield ShopError(400, '"%field" can not contain leading or trailing spaces.', {"field": "sku"})
    if row.get("source_code") not in shop.stock.msi.sources:
        yield ShopError(400, 'Source with code "%sourceCode" does not exist.', {"sourceCode": row.get("source_code")})
    try:
        decimal(row.get("quantity"), "quantity")
    except ValueError:
        yield ShopError(400, '"%field" should be numeric.', {"field": "quantity"})
    if row.get("status", 1) not in (0, 1, "0", "1"):
        yield ShopError(400, '"%field" should be a known status.', {"field": "status"})
    product = shop.catalog.find(sku)
    if product is not None and product.type in COMPOSITE:
        yield ShopError(400, 'Product "%sku" of the type "%type" has no source items.',
                        {"sku": sku, "type": product.type})
    yield from _together(shop, sku, wanted.get(sku, set()))


def _together(shop, sku, wanted):
    """A child of a bundle that ships together may be in one source only."""
    wanted = wanted | shop.stock.msi.sources_with(sku)
    if len(wanted) < 2:
        return
    for bundle in shop.catalog.bundles_with(sku):
        if not bundle.ships_separately:
            yield ShopError(
                400, 'Not able to assign "%1" to product "%2": a part of the bundle "%3", whose items ship together.',
                [", ".join(sorted(wanted)), sku, bundle.sku])
