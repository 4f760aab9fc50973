"""Builds what a benchmark runs: the package's products and the C programs of this folder."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .failure import Failure

HERE = Path(__file__).resolve().parent.parent
ROOT = HERE.parent.parent
OUTPUT = ROOT / ".build" / "benchmarks"
PRODUCTS = ROOT / ".build" / "release"

C_FLAGS = ["-O2", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-pthread"]


def say(text: str) -> None:
    """Progress goes to stderr: stdout holds the table or the JSON alone."""
    print(text, file=sys.stderr, flush=True)


def swift_product(name: str) -> Path:
    """Builds one executable of the package in release and returns its path."""
    say(f"building {name}")
    _run(["swift", "build", "-c", "release", "--product", name], cwd=ROOT)
    return PRODUCTS / name


def c_program(name: str, sources: list[Path], packages: list[str]) -> Path:
    """Compiles a C program when it is older than its sources and returns its path. `packages` are pkg-config names."""
    program = OUTPUT / name
    inputs = sources + [header for source in sources for header in source.parent.glob("*.h")]
    if program.exists() and program.stat().st_mtime > max(path.stat().st_mtime for path in inputs):
        return program
    say(f"building {name}")
    OUTPUT.mkdir(parents=True, exist_ok=True)
    libraries = _run(["pkg-config", "--cflags", "--libs", *packages], capture=True).split()
    partial = program.with_suffix(f".{os.getpid()}")
    _run(["cc", *C_FLAGS, *map(str, sources), "-o", str(partial), *libraries])
    partial.rename(program)
    return program


def require(tools: dict[str, str]) -> None:
    """Checks that the tools are there; `tools` maps a command to its Debian package."""
    missing = sorted({package for tool, package in tools.items() if shutil.which(tool) is None})
    if missing:
        raise Failure(f"missing Debian packages: run `apt-get install {' '.join(missing)}` as root")


def _run(command: list[str], cwd: Path | None = None, capture: bool = False) -> str:
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise Failure(f"`{' '.join(command)}` failed with exit code {done.returncode}:\n{done.stdout}")
    return done.stdout if capture else ""
