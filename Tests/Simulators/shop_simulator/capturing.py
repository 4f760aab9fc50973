"""What is done with an invoice that is there already."""

from . import payments
from .errors import ShopError, refused
from .gateway import GatewayError
from .invoicing import CANCELED, OPEN
from .order_rules import save
from .sides import sides


def capture(invoice):
    """Gets the money of an open invoice."""
    if invoice["state"] != OPEN:
        raise ShopError(400, "The invoice can't be captured: it is not open.")
    order = invoice.order
    if not payments.can_capture(order):
        raise refused("The payment method can't capture.")
    try:
        payments.capture(order, invoice)
    except GatewayError:
        raise refused("The invoice can't be captured, see error log for details") from None
    payments.pay(order, invoice)
    invoice.touch()
    save(order)
    return True


def void(invoice):
    """Gives back the authorisation of an open invoice, which ends canceled; its units can be invoiced again."""
    if invoice["state"] != OPEN:
        raise ShopError(400, "The invoice can't be voided: it is not open.")
    try:
        payments.void(invoice.order)
    except GatewayError:
        raise refused("The payment can't be voided.") from None
    invoice["state"] = CANCELED
    for item, quantity in invoice.quantities:
        item["qty_invoiced"] -= quantity
    for side in sides(invoice.order):
        invoice.book(side, 1, sign=-1)
    invoice.touch()
    save(invoice.order)
    return True
