"""/V1/bulk: what became of asynchronous calls."""

from ..bulks import OPEN
from ..routing import route
from ..search import Criteria

LOGS = "Magento_Logging::system_magento_logging_bulk_operations"


@route("GET", "/V1/bulk/:bulkUuid/status", LOGS)
def status(shop, call):
    bulk = shop.bulks.get(call.parameters["bulkUuid"])
    return {**_head(bulk), "operations_list": [_operation(o) for o in bulk["operations"]]}


@route("GET", "/V1/bulk/:bulkUuid/detailed-status", LOGS)
def detailed(shop, call):
    bulk = shop.bulks.get(call.parameters["bulkUuid"])
    return {**_head(bulk), "operations_list": [
        {**_operation(o), "topic_name": bulk["topic"], "bulk_uuid": bulk["uuid"], "serialized_data": o["body"],
         "result_serialized_data": o["result"]} for o in bulk["operations"]]}


@route("GET", "/V1/bulk/:bulkUuid/operation-status/:status", LOGS)
def count(shop, call):
    wanted = call.number("status")
    return sum(o["status"] == wanted for o in shop.bulks.get(call.parameters["bulkUuid"])["operations"])


@route("GET", "/V1/bulk", LOGS)
def operations(shop, call):
    criteria = Criteria(call.query, shop.settings)
    rows = [{**_operation(o), "bulk_uuid": bulk["uuid"], "topic_name": bulk["topic"], "start_time": bulk["start_time"]}
            for bulk in shop.bulks.all() for o in bulk["operations"]]
    found = criteria.select(rows, lambda row, field: row.get(field))
    return {"items": criteria.cut(found), "search_criteria": criteria.as_json(), "total_count": len(found)}


def _head(bulk):
    return {"bulk_id": bulk["uuid"], "description": f"Topic {bulk['topic']}", "start_time": bulk["start_time"],
            "user_id": 1,
            "user_type": 1, "operation_count": len(bulk["operations"])}


def _operation(operation):
    told = {"id": operation["id"], "status": operation["status"], "result_message": operation["result_message"],
            "error_code": operation["error_code"]}
    return {**told, "result_message": None} if operation["status"] == OPEN else told
