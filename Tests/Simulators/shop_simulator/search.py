"""searchCriteria: groups are joined by AND, the filters of a group by OR; sorting; pages."""

import re
from decimal import Decimal, InvalidOperation
from functools import cached_property

from .errors import ShopError, refused, required, wrong_type


class Wanted:
    """A value to compare with, read once for all rows."""

    def __init__(self, text):
        self.text = text
        self.folded = text.casefold()
        try:
            self.number = Decimal(text)
        except InvalidOperation:
            self.number = Decimal(0)  # as MySQL reads a text that is no number

    def __repr__(self):
        return repr(self.text)

    @cached_property
    def entries(self):
        return [Wanted(entry.strip()) for entry in self.text.split(",")]

    @cached_property
    def pattern(self):
        like = "".join(".*" if c == "%" else "." if c == "_" else re.escape(c) for c in self.text)
        return re.compile(like, re.IGNORECASE | re.DOTALL)


class Criteria:
    """A search as it was asked for. `settings` gives the limits of a page."""

    def __init__(self, query, settings):
        asked = query.get("searchCriteria", query.get("search_criteria")) or {}
        if not isinstance(asked, dict):
            asked = {}
        groups = asked.get("filter_groups", asked.get("filterGroups")) or {}
        self.groups = [[_filter(f) for f in _values(g.get("filters") or {})] for g in _values(groups)]
        orders = asked.get("sortOrders", asked.get("sort_orders")) or {}
        self.sorts = [(o["field"], str(o.get("direction", "ASC")).upper() != "DESC")
                      for o in _values(orders) if o.get("field")]
        self.size = _number(asked.get("pageSize", asked.get("page_size")))
        self.page = _number(asked.get("currentPage", asked.get("current_page"))) or 1
        if settings.input_limits:
            if self.size is not None and self.size > settings.page_limit:
                raise ShopError(400, "Maximum SearchCriteria pageSize is %max", {"max": settings.page_limit})
            self.size = settings.default_page if self.size is None else self.size

    @property
    def key(self):
        """Equal for searches that differ by their page only."""
        return repr((self.groups, self.sorts))

    def select(self, rows, value):
        """Those of the rows that match, sorted. `value(row, field)`: a field's value, or None."""
        found = [row for row in rows if all(any(_holds(f, value(row, f[0])) for f in group) for group in self.groups
                                            if group)]
        for field, ascending in reversed(self.sorts):
            found.sort(key=lambda row: _sortable(value(row, field)), reverse=not ascending)
        return found

    def cut(self, found):
        """The page that was asked for. One past the end repeats the last (magento-rules §4, #26986)."""
        if not self.size:
            return found
        last = max(1, -(-len(found) // self.size))
        start = (min(self.page, last) - 1) * self.size
        return found[start:start + self.size]

    def as_json(self):
        answer = {"filter_groups": [
            {"filters": [{"field": f, "value": v.text, "condition_type": c} for f, c, v in group]}
            for group in self.groups]}
        if self.sorts:
            answer["sort_orders"] = [{"field": f, "direction": "ASC" if up else "DESC"} for f, up in self.sorts]
        if self.size:
            answer.update(page_size=self.size, current_page=self.page)
        return answer


def _values(numbered):
    if isinstance(numbered, list):
        return numbered
    return [value for value in numbered.values() if isinstance(value, dict)] if isinstance(numbered, dict) else []


def _filter(asked):
    if not asked.get("field"):
        raise required("field")
    condition = asked.get("condition_type", asked.get("conditionType")) or "eq"
    if condition not in CONDITIONS:
        raise refused("SQLSTATE[42000]: Syntax error: unknown condition %1", condition)
    return asked["field"], condition, Wanted(str(asked.get("value", "")))


def _number(value):
    if value in (None, ""):
        return None
    if not str(value).isdigit():
        raise wrong_type(value, "int")
    return int(value)


def _holds(wanted, value):
    _, condition, other = wanted
    if isinstance(value, (list, tuple)):  # website ids and the like: any of them
        return any(CONDITIONS[condition](entry, other) for entry in value)
    return CONDITIONS[condition](value, other)


def _compared(value, wanted):
    """-1, 0, 1, or None when there is nothing to compare: numbers as numbers, else as texts."""
    if value is None:
        return None
    if isinstance(value, bool):
        value = int(value)
    if isinstance(value, (int, Decimal)):
        return (value > wanted.number) - (value < wanted.number)
    here, there = str(value).casefold(), wanted.folded
    return (here > there) - (here < there)


def _like(value, wanted):
    return value is not None and wanted.pattern.fullmatch(str(value)) is not None


def _listed(value, wanted):
    return any(_compared(value, entry) == 0 for entry in wanted.entries)


CONDITIONS = {
    "eq": lambda v, t: _compared(v, t) == 0,
    "neq": lambda v, t: v is not None and _compared(v, t) != 0,
    "gt": lambda v, t: _compared(v, t) == 1,
    "gteq": lambda v, t: _compared(v, t) in (0, 1),
    "from": lambda v, t: _compared(v, t) in (0, 1),
    "moreq": lambda v, t: _compared(v, t) in (0, 1),
    "lt": lambda v, t: _compared(v, t) == -1,
    "lteq": lambda v, t: _compared(v, t) in (-1, 0),
    "to": lambda v, t: _compared(v, t) in (-1, 0),
    "in": _listed,
    "nin": lambda v, t: v is not None and not _listed(v, t),
    "finset": lambda v, t: v is not None and t.text in str(v).split(","),
    "like": _like,
    "nlike": lambda v, t: v is not None and not _like(v, t),
    "null": lambda v, t: v is None or v == "",
    "notnull": lambda v, t: v is not None and v != "",
}


def _sortable(value):
    if value is None:
        return (0, 0)
    if isinstance(value, (int, Decimal)):
        return (1, value)
    return (2, str(value).casefold())
