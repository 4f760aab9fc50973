"""Comparing what was on the wire with what is expected, written out by hand from the catalogue of messages."""

from decimal import Decimal

EMPTY = (None, "", [], {}, False)


class ANY:
    """Something that is there, whatever it is."""

    def __repr__(self):
        return "something"


ANY = ANY()


def differences(expected, actual, path=""):
    """What is different, a line each. Fields that are not expected have to be empty. Numbers compare by value, and a number
    is not a text. A function says by itself whether it fits."""
    if expected is ANY:
        return [] if actual not in EMPTY else [f"{path}: nothing there"]
    if callable(expected):
        return [] if expected(actual) else [f"{path}: {actual!r} does not fit"]
    if isinstance(expected, dict) and isinstance(actual, dict):
        found = [line for name, value in expected.items()
                 for line in differences(value, actual.get(name), f"{path}.{name}".lstrip("."))]
        return found + [f"{path}.{name}: {value!r} was not expected".lstrip(".")
                        for name, value in actual.items() if name not in expected and not _is_empty(value)]
    if isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            return [f"{path}: {len(actual)} entries in place of {len(expected)}: {actual!r}"]
        return [line for n, (one, other) in enumerate(zip(expected, actual)) for line in differences(one, other, f"{path}[{n}]")]
    if _is_number(expected):
        same = _is_number(actual) and Decimal(str(expected)) == Decimal(str(actual))
    elif _is_empty(expected):
        same = _is_empty(actual)
    else:
        same = type(expected) is type(actual) and expected == actual
    return [] if same else [f"{path}: {actual!r} in place of {expected!r}"]


def attribute(name, value):
    """A custom attribute under both spellings of its key: definitions say name, receivers read attribute_code
    (connector.md §2.13)."""
    return {"name": name, "attribute_code": name, "value": value}


def untaxed(amount, currency="EUR"):
    """A price without tax: receivers read the first tax without looking (connector.md §2.2)."""
    amount = Decimal(str(amount))
    return {"net_amount": amount, "gross_amount": amount, "tax_amount": 0, "tax_rate": 0, "currency": currency,
            "taxes": [{"type": "NO TAX", "amount": 0, "rate": 0}]}


def taxed(net, tax, rate, currency="EUR", kind=ANY):
    net, tax = Decimal(str(net)), Decimal(str(tax))
    return {"net_amount": net, "gross_amount": net + tax, "tax_amount": tax, "tax_rate": rate, "currency": currency,
            "taxes": [{"type": kind, "amount": tax, "rate": rate}]}


def _is_number(value):
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def _is_empty(value):
    return not _is_number(value) and any(value is each or value == each for each in EMPTY)
