"""What a benchmark measured, its bound, and both ways to print it."""

import json
import statistics
from dataclasses import dataclass

AT_MOST = "at_most"
AT_LEAST = "at_least"


@dataclass(frozen=True)
class Measure:
    """One measured quantity: a value for each round, and the bound that their median has to keep.

    `name` ends with the unit unless it is a ratio. A `bound` of None means that the measure only reports.
    """

    name: str
    values: list[float]
    kind: str = AT_MOST
    bound: float | None = None

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError(f"{self.name}: no values were measured")
        if self.kind not in (AT_MOST, AT_LEAST):
            raise ValueError(f"{self.name}: kind {self.kind!r} is not one of {AT_MOST}, {AT_LEAST}")

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def holds(self) -> bool | None:
        if self.bound is None:
            return None
        return self.median <= self.bound if self.kind == AT_MOST else self.median >= self.bound


def as_json(measures: list[Measure]) -> str:
    """The array that other tools read; all benchmarks of the project keep this form."""
    return json.dumps([_as_object(measure) for measure in measures], indent=2, ensure_ascii=False)


def _as_object(measure: Measure) -> dict:
    # Rounding could move a median over its bound in the reader's eyes, so six digits, and `holds` from the exact value.
    return {
        "measure": measure.name,
        "median": _rounded(measure.median),
        "min": _rounded(min(measure.values)),
        "max": _rounded(max(measure.values)),
        "bound": measure.bound,
        "kind": measure.kind,
        "holds": measure.holds,
    }


def as_table(measures: list[Measure]) -> str:
    rows = [("measure", "median", "min–max", "bound", "")]
    for measure in measures:
        rows.append(
            (
                measure.name,
                _shown(measure.median),
                f"{_shown(min(measure.values))}–{_shown(max(measure.values))}",
                _shown_bound(measure),
                {True: "holds", False: "MISSES", None: ""}[measure.holds],
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append("  ".join(cells))
    return "\n".join(lines)


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


def _shown(value: float) -> str:
    """Three significant digits, and no exponent: 1.38, 17.2, 203512."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _shown_bound(measure: Measure) -> str:
    if measure.bound is None:
        return ""
    return ("≤ " if measure.kind == AT_MOST else "≥ ") + _shown(measure.bound)
