"""What a call costs a server when the connection is secured by TLS 1.3."""

from dataclasses import replace
from pathlib import Path

from ..measures import AT_LEAST, Measure
from ..processes import run_on
from . import servers
from .contestants import ASYNCHRONOUS, SYNCHRONOUS, Programs
from .ratios import best_cpp, column, ratio

TLS_BOUND = 3.0


def measures(programs: Programs, rounds: int, requests: int, directory: Path) -> list[Measure]:
    identity = _identity(directory)
    contestants = [replace(each, options=identity) for each in (*programs.our_servers, *programs.cpp_servers)]
    cpu_us = servers.sample("TLS", contestants, rounds, requests, directory, scheme="https").cpu_us
    cpp = best_cpp(cpu_us)
    result = [
        Measure(f"server CPU per call by TLS 1.3, {cpp} / {name}", ratio(cpu_us, cpp, name), AT_LEAST, TLS_BOUND)
        for name in (SYNCHRONOUS, ASYNCHRONOUS)
    ]
    return result + [Measure(f"server CPU per call by TLS 1.3, {name}: µs", column(cpu_us, name)) for name in cpu_us[0]]


def _identity(directory: Path) -> tuple[str, str]:
    """A certificate for this run, and its key: files."""
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=127.0.0.1"
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    run_on(frozenset(), [*command.split(), *names, "-keyout", key, "-out", certificate])
    key.chmod(0o600)
    return str(certificate), str(key)
