"""What the OMS tells of an order's returns and refunds, and what it asks of a payment integration (messages.md
§4.8–§4.10)."""

import copy
from decimal import Decimal

POST_SALES, PAYMENTS = "magento.postsales.", "magento.payments.payments_management."


class AfterSales:
    """Of one `OrderLife`. Each method returns (method, params) of one message."""

    def __init__(self, life):
        self.life = life
        self._returns = self._notes = self._operations = 0

    def return_updated(self, numbers, code="APPROVED", rma=None, reason="CSRREQUEST", head=None, lines=None):
        """A return of these lines. `rma`: one that was told before; None: a new one. `head`, `lines`: what is special
        about the return, and about each of its lines."""
        order, quirks = self.life.order, self.life.quirks
        if rma is None:
            self._returns += 1
            rma = f"RMA-CS-{self.life.id}-{self._returns}"
        entries = []
        for number in numbers:
            line = self.life.line(number)
            entry = {"id": line["id"], "line_number": number, "sku": line["sku"], "reason": "WRONGSIZE",
                     "reason_description": "too small", "condition": "OPENED", "condition_description": "",
                     "status": code, "custom_attributes": [], **(lines or {})}
            if quirks.bare_refunds:
                del entry["condition"], entry["condition_description"]
            entries.append(entry)
        return POST_SALES + "return_management.updated", {"return": {
            "sales_channel_id": order["store"], "order_id": self.life.id, "source_id": "WH-1", "user": "csr", "rma": rma,
            "return_tracking_number": "", "return_tracking_url": "", "return_tracking_label_url": "",
            "return_tracking_carrier": "", "origin_date": self.life.calendar.next(quirks), "custom_attributes": [],
            "lines": entries,
            "status": {"code": code, "name": code.capitalize(), "reason_code": reason, "reason_name": reason.capitalize(),
                       "date": self.life.calendar.next(quirks)}, **(head or {})}}

    def refund(self, amounts, refund_type="Return", code="RELEASED", note=None, rma=None):
        """`amounts`: line number → the amount, None for all of the line. `note`: the number of a credit note that was told
        before."""
        order, quirks = self.life.order, self.life.quirks
        if note is None:
            self._notes += 1
            note = f"CDE-{self.life.id}-{self._notes}"
        refund = {
            "client": "shop", "order_id": self.life.id, "store_id": order["store"], "sales_channel_id": order["store"],
            "credit_note_number": note, "credit_note_date": self.life.calendar.next(quirks),
            "status": {"code": code, "name": code.capitalize(), "reason_code": "REQUESTED", "reason_name": "Requested",
                       "date": self.life.calendar.next(quirks)},
            "refund_type": refund_type, "rma": rma or "", "user": "LOGISTICS", "refund_reason": "RELEASESUCCESS",
            "lines": [self._line(number, amount) for number, amount in amounts.items()], "custom_attributes": []}
        if quirks.bare_refunds:
            del refund["client"]
            refund["store_id"] = "WH-1"
        return POST_SALES + "refund_management.updated", {"refund": refund}

    def _line(self, number, amount):
        line = self.life.line(number)
        whole = line["amount"]
        gross = self.life.gross(number) if amount is None else Decimal(str(amount))
        all_gross = self.life.gross(number)
        tax = Decimal(str(whole["tax_amount"]))
        vat = (tax * gross / all_gross if all_gross else Decimal(0)).quantize(Decimal("0.01"))
        payment = {
            "ref": line["payment_reference"],
            "details": {"cost_gross": f"{gross:f}", "cost_net": f"{gross - vat:f}", "cost_vat": f"{vat:f}",
                        "vat_rate": str(whole.get("tax_rate") or 0),
                        "vat_detail": [{"type": tax["type"], "amount": str(tax["amount"]), "rate": str(tax["rate"])}
                                       for tax in copy.deepcopy(whole["taxes"])]},
            "status": {"code": "REFUNDED", "name": "Refunded"}}
        if self.life.quirks.bare_refunds:
            del payment["ref"]
        return {"order_line": str(number), "order_item_id": line["id"], "reason": "WRONGSIZE",
                "reason_description": "too small", "payments": [payment]}

    def payment(self, operation, amount, numbers=(), key=None):
        """A command to the payment integration: validate, capture, cancel or refund."""
        self._operations += 1
        order = self.life.order
        transaction = order["payments"][0]["transactions"][0]
        gateway = transaction["gateway_information"]
        return PAYMENTS + operation, {"payment": {
            "gateway": gateway["gateway_id"], "gateway_account": gateway.get("account") or "",
            "gateway_key": key or gateway.get("transaction_id") or "", "amount": amount,
            "currency": order["payments"][0]["currency"], "order_id": self.life.id,
            "operation_reference": f"op-{self.life.id}-{self._operations}",
            "lines": [{"line_number": number, "item_name": self.life.line(number).get("product_name"),
                       "item_sku": self.life.line(number)["sku"], "item_type": self.life.line(number)["product_type"],
                       "quantity": 1, "unit_price_gross": self.life.line(number)["amount"]["gross_amount"],
                       "tax_amount": self.life.line(number)["amount"]["tax_amount"],
                       "tax_rate": self.life.line(number)["amount"]["tax_rate"]} for number in numbers],
            "method_details": {"method": transaction["payment_method"],
                               "submethod": transaction.get("payment_submethod")},
            "custom_attributes": []}}
