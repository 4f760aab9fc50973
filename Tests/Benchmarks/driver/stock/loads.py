"""The programs that send stock to the service."""

from dataclasses import dataclass
from pathlib import Path

from .. import build
from ..failure import Failure
from ..processes import run_on
from .work import Work

RUN_LIMIT_SECONDS = 900
IN_FLIGHT = 64


@dataclass(frozen=True)
class Loads:
    stream: Path
    updates: Path
    gets: Path
    parts: Path

    @classmethod
    def build(cls) -> "Loads":
        load = build.HERE / "load"

        def program(name: str) -> Path:
            return build.c_program(
                f"load-{name}", [*sorted(load.glob("*.c")), load / "programs" / f"{name}.c"], ["libnghttp2"]
            )

        return cls(**{name: program(name) for name in ("stream", "updates", "gets", "parts")})

    def stream_command(self, work: Work, targets: list[str], what: str = "both") -> list[str]:
        return [str(self.stream), *work.arguments, what, *targets]


def numbers(command: list) -> list[float]:
    """Runs a program that prints numbers."""
    printed = run_on(set(), command, RUN_LIMIT_SECONDS)
    try:
        return [float(word) for word in printed.split()]
    except ValueError:
        raise Failure(f"{Path(command[0]).name} printed {printed[:200]!r} instead of numbers") from None
