"""What the bare loops have to do like the service, read from the service's sources so that it can't drift apart."""

import re
from pathlib import Path

from .build import ROOT
from .failure import Failure

CONNECTION = ROOT / "Shared" / "Storage" / "SQLite" / "SQLiteConnection.swift"
OPTIONS = ROOT / "Shared" / "Storage" / "DatabaseOptions.swift"
STORE = ROOT / "Services" / "Inventory" / "Store"

# The statements that a snapshot runs, in their order: the file that a bare loop reads, and how the statement begins.
STATEMENTS = {
    # Whether a NONZERO is open.
    "run.sql": ["SELECT created_on, last_at, parts, named, is_open FROM stock_nonzero WHERE"],
    # What is stored: of neighbours, and of those that are named.
    "range.sql": ["SELECT sku, quantity, unlimited, created_on FROM", "sku >= ?2 AND sku <= ?3"],
    "named.sql": ["SELECT named.", "FROM {each}"],
    "upsert.sql": ["INSERT INTO cataloginventory_stock_item_update", "VALUES", "ON CONFLICT"],
    "history.sql": ["INSERT INTO stock_history", "VALUES"],
    # Whether the shop is to be told.
    "target.sql": ["SELECT 1 FROM stock_push_target WHERE aggregate_id = ?1"],
}
# Statements for all rows of a message at once, on PostgreSQL: the same, but for what the service replaces in them.
TOGETHER = {"upsert-together.sql": "upsert.sql", "history-together.sql": "history.sql"}
# What `{each}` stands for: how an engine takes a list apart.
EACH = {"SQLite": "json_each", "PostgreSQL": "unnest"}


def pragmas() -> str:
    """The pragmas of the writing connection, one statement a line."""
    values = {"cacheKiB": _option("writerCacheKiB"), "options.checkpointPages * 4096": checkpoint_pages() * 4096}
    return pragmas_in(CONNECTION.read_text(), values)


def checkpoint_pages() -> int:
    """The length of the log from which on it is checkpointed after a commit."""
    return _option("checkpointPages")


def write(folder: Path, engine: str) -> None:
    """Writes what a bare loop on `engine`, a key of EACH, reads into a new folder."""
    folder.mkdir()
    for name, statement in statements_in("\n".join(path.read_text() for path in sorted(STORE.glob("*.swift"))), engine).items():
        (folder / name).write_text(statement)
    if engine == "SQLite":
        (folder / "pragmas.sql").write_text(pragmas())


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


def statements_in(source: str, engine: str) -> dict[str, str]:
    """The statements, by their file, among the string literals of `source`."""
    names = dict(re.findall(r'static let (\w+) = "(\w+)"', source))
    literals = re.findall(r'"""\n(.*?)\n *"""', source, re.DOTALL)
    literals += re.findall(r'^[^"\n]*"([A-Z]+ [^"\n]*)"[^"\n]*$', source, re.MULTILINE)
    texts = [" ".join(re.sub(r"\\\(StockSchema\.(\w+)\)", lambda m: names.get(m[1], m[0]), each).split()) for each in literals]
    result = {}
    for file, words in STATEMENTS.items():
        words = [each.format(each=EACH[engine]) for each in words]
        found = [text for text in texts if text.startswith(words[0]) and all(word in text for word in words)]
        if len(found) != 1 or "\\(" in found[0]:
            said = f"{len(found)} statements" if len(found) != 1 else f"`{found[0]}`"
            raise Failure(f"{STORE}: {said} with {words} instead of one that is whole; adapt driver/store_source.py")
        result[file] = found[0]
    if engine != "PostgreSQL":
        return result
    result |= {file: _replaced(source, result[base]) for file, base in TOGETHER.items()}
    return {file: re.sub(r"\?(\d+)", r"$\1", text) for file, text in result.items()}


def _replaced(source: str, statement: str) -> str:
    """`statement` as `source` has it after its `.replacing(…)`."""
    pairs = re.findall(r'\.replacing\(\s*"([^"\n]+)",\s*with:\s*(?:"([^"\n]*)"|"""\n(.*?)\n *""")\s*\)', source, re.DOTALL)
    found = {old: " ".join((line or lines).split()) for old, line, lines in pairs if old in statement}
    if len(found) != 1:
        raise Failure(f"{STORE}: {len(found)} `.replacing(…)` for `{statement}` instead of one; adapt driver/store_source.py")
    ((old, new),) = found.items()
    return statement.replace(old, new)


def _option(name: str) -> int:
    match = re.search(rf"public var {name} = ([\d_]+)", OPTIONS.read_text())
    if match is None:
        raise Failure(f"{OPTIONS}: no `public var {name} = NUMBER`; adapt driver/store_source.py")
    return int(match[1])
