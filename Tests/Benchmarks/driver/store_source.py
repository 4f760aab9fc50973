"""What the bare loops have to do like the service, read from the service's sources so that it can't drift apart."""

import re
from pathlib import Path

from .build import ROOT
from .failure import Failure

CONNECTION = ROOT / "Shared" / "Storage" / "SQLite" / "SQLiteConnection.swift"
OPTIONS = ROOT / "Shared" / "Storage" / "DatabaseOptions.swift"
STORE = ROOT / "Services" / "Inventory" / "Store"
TABLE = "cataloginventory_stock_item_update"


def pragmas() -> str:
    """The pragmas of the writing connection, one statement a line."""
    values = {"cacheKiB": _option("writerCacheKiB"), "options.checkpointPages * 4096": checkpoint_pages() * 4096}
    return pragmas_in(CONNECTION.read_text(), values)


def checkpoint_pages() -> int:
    """The length of the log from which on it is checkpointed after a commit."""
    return _option("checkpointPages")


def upsert() -> str:
    """The statement that writes one row."""
    return upsert_in("".join(path.read_text() for path in sorted(STORE.glob("*.swift"))))


def pragmas_in(source: str, values: dict[str, int]) -> str:
    """The pragmas that `source` executes whatever its options are, with `values` for the interpolations."""
    statements = ["PRAGMA journal_mode = WAL;"]
    found = re.findall(r'^( *)try execute\("(PRAGMA .*)"\)$', source, re.MULTILINE)
    # What is indented more stands in a condition.
    outermost = min((len(indent) for indent, _ in found), default=0)
    for text in (text for indent, text in found if len(indent) == outermost):
        for expression, value in values.items():
            text = text.replace(f"\\({expression})", str(value))
        if "\\(" in text:
            raise Failure(f"{CONNECTION}: the pragma `{text}` has a value that driver/store_source.py does not know")
        statements.append(text + ";")
    if not any("synchronous" in statement for statement in statements):
        raise Failure(f"{CONNECTION}: no `try execute(\"PRAGMA synchronous = …\")`; adapt driver/store_source.py")
    return "\n".join(statements) + "\n"


def upsert_in(source: str) -> str:
    """The one multi-line string literal of `source` that is an upsert of stock."""
    literals = re.findall(r'"""\n(.*?)\n *"""', source, re.DOTALL)
    found = [text for text in literals if "INSERT INTO \\(StockSchema.table)" in text and "ON CONFLICT" in text]
    if len(found) != 1:
        raise Failure(f"{STORE}: {len(found)} upserts instead of one; adapt driver/store_source.py")
    return found[0].replace("\\(StockSchema.table)", TABLE)


def _option(name: str) -> int:
    match = re.search(rf"public var {name} = ([\d_]+)", OPTIONS.read_text())
    if match is None:
        raise Failure(f"{OPTIONS}: no `public var {name} = NUMBER`; adapt driver/store_source.py")
    return int(match[1])
