"""What takes part: the connector's executables, the OMS that delivers to them, and a bare program beside them."""

from dataclasses import dataclass
from pathlib import Path

from .. import build
from ..processes import run_on

CONNECTIONS = 16
SECRET = "only-for-benchmarks"


@dataclass(frozen=True)
class Programs:
    gateway: Path
    inventory: Path
    callbacks: Path
    bare: Path

    def deliver(self, address: str, first: int, count: int, limit_seconds: float | None = None) -> float:
        """Delivers the messages from number `first` on and returns how many were answered a second."""
        arguments = [address, SECRET, CONNECTIONS, first, count]
        limit = {} if limit_seconds is None else {"limit_seconds": limit_seconds}
        return float(run_on(set(), [self.callbacks, *arguments], **limit))


def build_programs() -> Programs:
    callbacks, intake = build.HERE / "callbacks", build.HERE / "intake"
    return Programs(
        gateway=build.swift_product("gateway"),
        inventory=build.swift_product("inventory"),
        callbacks=build.c_program("callbacks", _sources(callbacks, "callbacks"), ["libcrypto"]),
        bare=build.c_program("bare-intake", _sources(intake, "intake"), ["libmicrohttpd", "sqlite3"]),
    )


def _sources(folder: Path, program: str) -> list[Path]:
    return [*sorted(folder.glob("*.c")), folder / "programs" / f"{program}.c"]
