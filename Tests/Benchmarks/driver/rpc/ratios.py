"""Ratios within a round. `results` are the rounds: a value for each contestant."""

import statistics

from .contestants import CPP

Rounds = list[dict[str, float]]


def column(results: Rounds, name: str) -> list[float]:
    return [result[name] for result in results]


def ratio(results: Rounds, name: str, other: str) -> list[float]:
    return [result[name] / result[other] for result in results]


def best_cpp(results: Rounds, least_is_best: bool = True) -> str:
    """The gRPC C++ server that ours has to stand against: the better of both, by its median over all rounds."""
    names = [name for name in CPP if name in results[0]]
    return (min if least_is_best else max)(names, key=lambda name: statistics.median(column(results, name)))
