"""Numbers as Magento keeps and writes them: exact decimals inside, JSON numbers outside."""

import json
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

ZERO = Decimal(0)
# ISO 4217: currencies whose smallest unit is not a hundredth.
PLACES = {
    **dict.fromkeys(("BIF", "CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


def places(currency):
    """How many decimals an amount in that currency has."""
    return PLACES.get(currency, 2)


def decimal(value, name="value"):
    """A number or a numeric text as a Decimal; None and "" count as 0, as in PHP. ValueError for anything else."""
    if value is None or value == "":
        return ZERO
    if isinstance(value, bool):
        return Decimal(int(value))
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        raise ValueError(f"{name}: {value!r} is no number") from None
    if not number.is_finite():
        raise ValueError(f"{name}: {value!r} is no number")
    return number


def rounded(value, digits):
    """Half away from zero, as PHP rounds."""
    return value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def share(remaining, remaining_quantity, quantity, digits):
    """What `quantity` units get of an amount that is still to be spread over `remaining_quantity`: the last ones get
    the rest, so that 1.00 over 3 is .33 .34 .33 (magento-rules §3)."""
    if quantity == remaining_quantity or not remaining_quantity:
        return remaining
    return rounded(remaining * quantity / remaining_quantity, digits)


def parse(text):
    """JSON with exact numbers."""
    return json.loads(text, parse_float=Decimal)


def dump(value):
    """JSON as Magento answers it: a number without a fraction has no point. A Decimal leaves as the shortest number
    that is it."""
    return json.dumps(value, default=_number, ensure_ascii=False, check_circular=False, separators=(",", ":"))


def plain(value):
    """The same value in types that every JSON library knows."""
    return json.loads(dump(value))


@lru_cache(65536)
def _number(value):
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} has no JSON")
    number = float(value)
    return int(number) if number.is_integer() else number
