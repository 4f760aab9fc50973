"""What a credit memo does to stock. The shop's automatic restock has the same effect as naming every item, and an empty
list does not prevent it (magento-rules §3)."""

from .msi import DEFAULT
from .values import ZERO


def restock(order, memo, back):
    """`back`: ids of order items that were named to be returned to stock. Before the memo is booked."""
    for item, quantity in memo.quantities:
        if not item.has_stock or not quantity:
            continue
        counted = item.parent if item.parent is not None and item.parent["product_type"] == "configurable" else item
        shipped = counted["qty_invoiced" if item["is_virtual"] else "qty_shipped"]
        if not item["is_virtual"] and item.is_shipping_dummy and item.parent["product_type"] == "bundle":
            shipped = item.per_parent * item.parent["qty_shipped"]
        waiting = max(counted["qty_ordered"] - counted["qty_canceled"] - shipped - item.refunded_unshipped, ZERO)
        unshipped = min(quantity, waiting)
        item.refunded_unshipped += unshipped
        named = item.id in back or (item.parent is not None and item.parent.id in back)
        order.shop.stock.refunded(order, order.website, item.stock_sku(), quantity, unshipped,
                                  named or order.shop.settings.auto_restock, _source(order, counted))


def _source(order, item):
    """Where the item was shipped from, else the first source that would have shipped it."""
    for shipment in order.shop.sales.shipments.of(order):
        if shipment.source and any(line["order_item_id"] == item.id for line in shipment.lines):
            return shipment.source
    msi = order.shop.stock.msi
    return next(iter(msi.sources_of(msi.stock_of("website", order.website)["stock_id"])), DEFAULT)
