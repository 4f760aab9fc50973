"""Credit memos: whether they may be, and what they change (magento-rules §3)."""

from . import refund_amounts
from .documents import number
from .errors import invalid, refused
from .gateway import GatewayError
from .invoicing import PAID, quantities_of
from .order_rules import can_refund, is_held, resolve, save
from .refund_amounts import formatted
from .restocking import restock
from .sides import sides
from .transactions import record
from .values import ZERO

FAILED = "Could not save a Credit Memo, see error log for details"
STATUS = "A creditmemo can not be created when an order has a status of {}"


def request(order, body, invoice=None):
    """POST /V1/order/:id/refund, or /V1/invoice/:id/refund. Returns the credit memo."""
    arguments = body.get("arguments") or {}
    messages = _refusals(order, invoice)
    if messages:
        raise invalid("Creditmemo", messages)
    asked = quantities_of(body.get("items"))
    quantities = refund_amounts.planned(order, asked, invoice)
    memo = refund_amounts.calculated(order, quantities, arguments, invoice)
    messages = _wrong_quantities(quantities) + _wrong_totals(order, memo) + too_much(order, memo, invoice)
    if messages:
        raise invalid("Creditmemo", messages)
    back = (arguments.get("extension_attributes") or {}).get("return_to_stock_items") or ()
    issue(order, memo, invoice, bool(body.get("isOnline")) and invoice is not None, set(map(int, back)))
    comment = body.get("comment") or {}
    if comment.get("comment"):
        memo.comment(comment["comment"], int(bool(body.get("notify"))), int(bool(comment.get("is_visible_on_front"))))
        memo.touch()
    if body.get("notify"):
        order.shop.mails.send("creditmemo", order, memo)
    return memo


def issue(order, memo, invoice, online, back):
    """Refunds the money, online or not, books the memo and puts back on the shelf what has to. `back`: order item
    ids."""
    number(memo, "creditmemo")
    if online:
        try:
            memo["transaction_id"] = order.shop.gateway.ask("refund", order, memo["base_grand_total"])
        except GatewayError:
            raise refused(FAILED) from None
        record(order, "refund", memo["transaction_id"], closed=True)
    restock(order, memo, back)
    for item, quantity in memo.quantities:
        item["qty_refunded"] += quantity
    for side in sides(order):
        memo.book(side, 2)
        order.add(side("adjustment_positive"), memo[side("adjustment_positive")])
        order.add(side("adjustment_negative"), memo[side("adjustment_negative")])
        kind = "total_online_refunded" if online else "total_offline_refunded"
        order.add(side(kind), memo[side("grand_total")])
        before = order.payment.get(side("amount_refunded")) or ZERO
        order.payment[side("amount_refunded")] = before + memo[side("grand_total")]
    if online:
        order.payment["base_amount_refunded_online"] = order["base_total_online_refunded"]
    if invoice is not None:
        invoice["is_used_for_refund"] = 1
        invoice.add("base_total_refunded", memo["base_grand_total"])
        invoice.touch()
    order.shop.sales.creditmemos.add(memo, memo["entity_id"])
    memo.touch()
    order.set_state(resolve(order))  # and with the state its default status
    save(order)


def too_much(order, memo, invoice):
    """What is wrong when it is more money than was paid, or than the invoice has."""
    base = sides(order)[1]
    left = (order.get(base("total_paid")) or ZERO) - (order.get(base("total_refunded")) or ZERO)
    if invoice is not None:
        left = min(left, invoice[base("grand_total")] - (invoice.get("base_total_refunded") or ZERO))
    if memo[base("grand_total")] <= left:
        return []
    return [f"The most money available to refund is {formatted(left, base, order['base_currency_code'])}."]


def _refusals(order, invoice):
    if is_held(order) or order["state"] in ("canceled", "closed"):
        return [STATUS.format(order["status"])]
    if not can_refund(order):
        return ["The order does not allow a creditmemo to be created."]
    if invoice is not None and not _invoice_refunds(order, invoice):
        return ["We can't create creditmemo for the invoice."]
    return []


def _invoice_refunds(order, invoice):
    """Through an invoice only what is paid, and only methods that can refund at all: offline ones can't."""
    left = invoice["base_grand_total"] - (invoice.get("base_total_refunded") or ZERO)
    return invoice["state"] == PAID and left > 0 and order.method.can_refund


def _wrong_quantities(quantities):
    said = 'The quantity to creditmemo must not be greater than the unrefunded quantity for product SKU "{}".'
    return [said.format(item["sku"])
            for item, quantity in quantities if not item.is_dummy and (quantity > item.to_refund or quantity < 0)]


def _wrong_totals(order, memo):
    settings = order.shop.settings
    if memo["grand_total"] < 0 or (memo["grand_total"] == 0 and (settings.old or not settings.zero_total_refund)):
        return ["The credit memo's total must be positive."]
    some = any(quantity > 0 for _, quantity in memo.quantities)
    if not some and settings.old and order["shipping_amount"] == (order.get("shipping_refunded") or ZERO):
        return ["You can't create a creditmemo without products."]  # #23069
    return []
