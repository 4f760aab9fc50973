"""Lists of orders and their documents."""

from ..dispatch import Text
from ..query import parse_fields, trimmed
from ..search import Criteria
from ..values import dump


def one(entity, call):
    """The answer to a read of one entity: its text, unless only some fields are asked for."""
    return entity.as_json() if "fields" in call.query else Text(entity.text())


def page(shop, call, table, value=lambda row, field: row.get(field)):
    """The answer to a search over entities."""
    criteria = Criteria(call.query, shop.settings)
    found = criteria.select(table.values(), value)
    shown = criteria.cut(found)
    shop.faults.check_rows(call.path, [entity.get("entity_id") for entity in shown])
    rest = {"search_criteria": criteria.as_json(), "total_count": len(found)}
    if "fields" in call.query:
        return trimmed({"items": [entity.as_json() for entity in shown], **rest},
                       parse_fields(str(call.query["fields"])))
    return Text('{"items":[' + ",".join(entity.text() for entity in shown) + "]," + dump(rest)[1:])
