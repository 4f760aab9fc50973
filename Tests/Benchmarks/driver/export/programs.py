"""What takes part: the connector's executables, the far sides in one C program, and the bare loop."""

import http.client
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .. import build, store_source
from ..failure import Failure
from ..processes import Server, free_port, run_on

# OMS_MAX_CONCURRENCY, and what the bare loop keeps under way.
CONCURRENCY = 16
RUN_LIMIT_SECONDS = 900
PRODUCTS, ORDERS = "products", "orders"
# How the bare loop reads pages: it looks at nothing but their end, or takes them apart with json-c.
SKIM, PARSE = "skim", "parse"
# Where the OMS takes which of them.
PATHS = {PRODUCTS: "/events", ORDERS: "/delegate/oms"}


@dataclass(frozen=True)
class Programs:
    gateway: Path
    catalog: Path
    sales: Path
    omsctl: Path
    far_side: Path
    bare: Path

    def run_bare(self, kind: str, far_side: "FarSide", record: Path, page_size: int, mode: str) -> float:
        """Exports everything of a kind and returns the CPU seconds that it took."""
        with tempfile.TemporaryDirectory(prefix="bare-", dir=build.OUTPUT) as folder:
            store, pragmas = Path(folder) / "store", Path(folder) / "pragmas.sql"
            pragmas.write_text(store_source.pragmas())
            pages = f"{far_side.url}/rest/all/V1/{kind}"
            where = [store, pragmas, store_source.checkpoint_pages(), record / kind]
            command = [self.bare, *where, pages, page_size, far_side.url + PATHS[kind], CONCURRENCY, mode]
            return float(run_on(set(), command, RUN_LIMIT_SECONDS))


def build_programs() -> Programs:
    folder = build.HERE / "export"

    def c_program(name: str) -> Path:
        sources = [*sorted(folder.glob("*.c")), folder / "programs" / f"{name}.c"]
        return build.c_program(name, sources, ["libmicrohttpd", "libcurl", "sqlite3", "json-c"])

    products = {name: build.swift_product(name) for name in ("gateway", "catalog", "sales", "omsctl")}
    return Programs(**products, far_side=c_program("shop-and-oms"), bare=c_program("bare-export"))


@dataclass(frozen=True)
class Tally:
    """What the far sides have seen of one kind. Times: nanoseconds of one clock, 0 for not yet."""

    pages: int
    page_size: int
    different: int
    repeated: int
    bytes: int
    first_page: int
    last_body: int

    @property
    def seconds(self) -> float:
        """From the first page that was asked for to the last message that arrived."""
        return (self.last_body - self.first_page) / 1e9


class FarSide:
    """The shop and the OMS; a context manager that ends them."""

    def __init__(self, program: Path, data: Path, record: Path | None = None):
        address = f"127.0.0.1:{free_port()}"
        self.url = f"http://{address}"
        self._server = Server([str(part) for part in (program, data, address, record) if part is not None], address)
        self._connection = http.client.HTTPConnection(address, timeout=30)

    def tally(self, kind: str) -> Tally:
        self._connection.request("GET", "/measured")
        response = self._connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise Failure(f"the shop's stand-in answers {response.status} to /measured: {body[:200]!r}")
        return Tally(**json.loads(body)[kind])

    def __enter__(self) -> "FarSide":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._server.stop()
