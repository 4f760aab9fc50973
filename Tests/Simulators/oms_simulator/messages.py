"""What the connector sends to an OMS. Source: messages.md §2, direction MC→OMS."""

import json

# Commands and events that the OMS takes, and what a synchronous call of them gives.
ACCEPTED = {
    "magento.catalog.product_management.updated": None,
    "magento.inventory.source_repository.search": {"offset": 0, "size": 0, "total": 0, "items": []},
    "magento.inventory.source_stock_management.update": None,
    "magento.inventory.source_stock_management.adjust": None,
    "magento.sales.order_management.create": None,
    "magento.sales.order_management.cancel": None,
    "magento.sales.order_management.cancel_line": None,
    "magento.sales.order_management.create_comment": None,
    "magento.sales.order_management.update_custom_attributes": None,
    "magento.sales.order_management.update_line_custom_attributes": None,
    "magento.sales.order_management.update_shipping_address": None,
    "magento.logistics.warehouse_management.lines_shipped": None,
    "magento.logistics.warehouse_management.lines_declined": None,
    "magento.logistics.shipment_request_management.lines_change_status": None,
    "magento.postsales.return_management.authorize": None,
    "magento.postsales.return_management.update_custom_attributes": None,
    "magento.postsales.return_management.update_line_custom_attributes": None,
    "magento.postsales.refund_management.update_custom_attributes": None,
    **{f"magento.payments.payments_management.notify_{outcome}": None for outcome in (
        "validated", "validation_failed", "revalidated", "revalidation_failed", "captured", "capture_failed", "cancelled",
        "cancellation_failed", "refunded", "refund_failed")},
    "magento.common.error_management.notify": None,
}


def parsed(body):
    """The JSON-RPC request of these bytes, or {} when it is none."""
    try:
        request = json.loads(body)
    except ValueError:
        return {}
    return request if isinstance(request, dict) else {}
