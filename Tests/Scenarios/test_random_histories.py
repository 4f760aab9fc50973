"""Random orders, and all that becomes of them – parcels, cancellations and refunds – told in any order and some of it twice: in the
end the units and the money balance, in the shop and between the shop and the OMS (magento-rules.md §5).

SCENARIO_SEED repeats a run."""

import random
import unittest
from decimal import Decimal

from story import SEED, Scenario

HISTORIES = 16
SKUS = ("MUG", "CAP", "PEN", "BAG")
CENT = Decimal("0.01")
REFUNDED = "magento.postsales.refund_management.updated"


class History:
    """What the OMS says of one order, in the order in which it says it."""

    def __init__(self, story, dice):
        self.order = story.order(self._bought(dice), **self._terms(dice))
        life = self.order.life
        numbers = life.numbers()
        dice.shuffle(numbers)
        cut = dice.randint(0, len(numbers)) if dice.random() < 0.5 else len(numbers)
        self.shipped, self.cancelled = numbers[:cut], numbers[cut:]
        self.refunded = {}
        self.messages = [life.created()]
        self._ship(dice)
        self._cancel(dice)
        self._refund(dice)

    @staticmethod
    def _bought(dice):
        lines = []
        for sku in dice.sample(SKUS, dice.randint(1, 3)):
            line = {"sku": sku, "quantity": dice.randint(1, 4), "price": str(Decimal(dice.randint(100, 9999)) / 100)}
            if dice.random() < 0.4:
                line["discount_percent"] = str(dice.choice([5, 10, 33]))
            lines.append(line)
        return lines

    @staticmethod
    def _terms(dice):
        terms = {"payment": dice.choice(["gateway", "checkmo"]), "tax_rate": dice.choice(["0", "7", "19"]),
                 "prices_include_tax": dice.random() < 0.5, "shipping": {
                     "method": "flatrate_flatrate", "description": "Flat Rate", "amount": dice.choice(["0", "4.99"])}}
        return terms

    def _ship(self, dice):
        left = list(self.shipped)
        while left:
            parcel, left = left[:(size := dice.randint(1, len(left)))], left[size:]
            self.messages.append(self.order.life.shipped(parcel))

    def _cancel(self, dice):
        if not self.cancelled:
            self.messages.append(self.order.life.updated("COMPLETE", "FULLYSHIPPED"))
        elif not self.shipped:
            self.messages.append(self.order.life.cancelled())
        elif dice.random() < 0.5:
            self.messages.append(self.order.life.cancelled(self.cancelled, "COMPLETE", "PARTIALLYSHIPPED"))
        else:
            self.messages += [self.order.life.line_cancelled(number) for number in self.cancelled]
            self.messages.append(self.order.life.updated("COMPLETE", "PARTIALLYSHIPPED"))

    def _refund(self, dice):
        for number in dice.sample(self.shipped, dice.randint(0, len(self.shipped))):
            price = self.order.life.gross(number)
            part = (price * dice.randint(10, 90) / 100).quantize(CENT) if dice.random() < 0.3 else None
            amount = price if part is None else part
            if amount > 0:
                self.refunded[number] = amount
                self.messages.append(self.order.after.refund({number: part}))


class RandomHistories(Scenario):
    PRODUCTS = [{"sku": sku, "price": "10"} for sku in SKUS]

    def test_units_and_money_balance_whatever_comes_first(self):
        for number in range(HISTORIES):
            seed = SEED + number
            with self.subTest(seed=seed):
                self.tell(lambda test, story, dice=random.Random(seed): self.play(story, dice))

    def play(self, story, dice):
        history = History(story, dice)
        order = history.order
        again = [message for message in history.messages if dice.random() < 0.25]
        dice.shuffle(history.messages)
        # Goods are refunded once they have left. What is told again comes at any time behind that.
        late = [message for message in history.messages if message[0] == REFUNDED] + again
        dice.shuffle(late)
        for message in [message for message in history.messages if message[0] != REFUNDED] + late:
            story.says(message)
        story.pause()
        # A refund that comes before its goods are shipped in the shop waits, and looks for them more and more seldom.
        order.wait({"total_refunded": sum(history.refunded.values(), Decimal(0))}, timeout_s=120)
        self.world.settle(60)
        self.balance(history)

    def balance(self, history):
        order = history.order
        seen = order.seen()
        shop, known = seen["order"], order.known()
        self.assertEqual((known.get("needs_attention", False), known.get("reason", "")), (False, ""))
        for item in shop["items"]:
            shipped = sum(1 for n in history.shipped if order.life.line(n)["id"] == str(item["item_id"]))
            cancelled = sum(1 for n in history.cancelled if order.life.line(n)["id"] == str(item["item_id"]))
            self.assertEqual(
                [Decimal(str(item[f"qty_{name}"])) for name in ("ordered", "shipped", "canceled", "invoiced")],
                [shipped + cancelled, shipped, cancelled, shipped], item["sku"])
            self.assertLessEqual(Decimal(str(item["qty_refunded"])), shipped, item["sku"])
        money = {name: Decimal(str(shop.get(name) or 0)) for name in (
            "grand_total", "total_invoiced", "total_paid", "total_refunded", "total_due")}
        refunds = sum(history.refunded.values(), Decimal(0))
        self.assertEqual(money["total_refunded"], refunds)
        invoiced = sum((Decimal(str(each["grand_total"])) for each in seen["invoices"]), Decimal(0))
        self.assertEqual((money["total_invoiced"], money["total_paid"]), (invoiced, invoiced))
        self.assertLessEqual(money["total_refunded"], money["total_paid"])
        if not history.cancelled:
            self.assertEqual((money["total_paid"], money["total_due"]), (money["grand_total"], 0))
        # Each cent that left the gateway is that of a document.
        taken = {name: sum((Decimal(str(each["amount"])) for each in seen["gateway"]
                            if each["operation"] == name and not each["refused"]), Decimal(0)) for name in ("capture", "refund")}
        if shop["payment"]["method"] == "gateway":
            self.assertEqual(taken["capture"], money["total_paid"])
            self.assertEqual(taken["refund"], money["total_refunded"])


if __name__ == "__main__":
    unittest.main()
