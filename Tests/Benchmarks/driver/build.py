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

C_FOLDERS = ["floor", "load", "store", "callbacks", "intake", "export"]
C_FLAGS = ["-O2", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-pthread"]
CPP_FLAGS = ["-O2", "-std=c++17", "-Wall", "-Wextra", "-pthread"]


def say(text: str) -> None:
    """Progress goes to stderr: stdout holds the table or the JSON alone."""
    print(text, file=sys.stderr, flush=True)


def swift_product(name: str) -> Path:
    """Builds one executable of the package in release and returns its path."""
    say(f"building {name}")
    _run(["swift", "build", "-c", "release", "--product", name], cwd=ROOT)
    return PRODUCTS / name


def c_program(name: str, sources: list[Path], libraries: list[str]) -> Path:
    """Compiles a C program when it is older than its sources and returns its path. `libraries`: pkg-config names."""
    program = OUTPUT / name
    inputs = [Path(__file__)] + sources + [header for folder in C_FOLDERS for header in (HERE / folder).glob("*.h")]
    if program.exists() and program.stat().st_mtime > max(path.stat().st_mtime for path in inputs):
        return program
    say(f"building {name}")
    OUTPUT.mkdir(parents=True, exist_ok=True)
    flags = _run(["pkg-config", "--cflags", "--libs", *libraries], capture=True).split() if libraries else []
    partial = program.with_suffix(f".{os.getpid()}")
    _run([_c_compiler(), *C_FLAGS, *map(str, sources), "-o", str(partial), *flags])
    partial.rename(program)
    return program


def cpp_program(name: str) -> Path:
    """Compiles grpc-NAME out of grpc-cpp/NAME.cc and the code generated from echo.proto, when one of them is newer."""
    folder, generated, program = HERE / "grpc-cpp", OUTPUT / "grpc-cpp", OUTPUT / name
    inputs = [Path(__file__), *folder.iterdir()]
    if program.exists() and program.stat().st_mtime > max(path.stat().st_mtime for path in inputs):
        return program
    say(f"building {name}")
    generated.mkdir(parents=True, exist_ok=True)
    plugin = shutil.which("grpc_cpp_plugin")
    outputs = [f"--cpp_out={generated}", f"--grpc_out={generated}", f"--plugin=protoc-gen-grpc={plugin}"]
    _run(["protoc", f"-I{folder}", *outputs, str(folder / "echo.proto")])
    sources = [folder / f"{name.removeprefix('grpc-')}.cc", generated / "echo.pb.cc", generated / "echo.grpc.pb.cc"]
    flags = _run(["pkg-config", "--cflags", "--libs", "grpc++", "protobuf"], capture=True).split()
    partial = program.with_suffix(f".{os.getpid()}")
    # -isystem: our warnings are for our sources, not for generated ones.
    includes = ["-isystem", str(generated), f"-I{folder}"]
    _run([_cpp_compiler(), *CPP_FLAGS, *includes, *map(str, sources), "-o", str(partial), *flags])
    partial.rename(program)
    return program


def _cpp_compiler() -> str:
    """The system's, whose standard library Debian's gRPC was built with."""
    compiler = shutil.which("g++") or shutil.which("c++")
    if compiler is None:
        raise Failure("no C++ compiler: neither g++ nor c++ is on PATH; install g++")
    return compiler


def _c_compiler() -> str:
    """The system's, or the clang that comes with Swift."""
    compiler = shutil.which("cc") or shutil.which("clang")
    if compiler is None:
        raise Failure("no C compiler: neither cc nor clang is on PATH; install gcc, or put Swift's clang there")
    return compiler


def require_packages(*packages: str) -> None:
    """Sees to it that the Debian packages are installed, as compose/up does: as root or with sudo, else it says how."""
    script = f'. "{ROOT}/compose/lib/common.sh" && . "{ROOT}/compose/lib/packages.sh" && '
    script += 'need_packages "${BUILD_PACKAGES[@]}" "$@" && need_swift'
    done = subprocess.run(["bash", "-c", script, "Tests/Benchmarks/run", *packages], stdout=sys.stderr)
    if done.returncode != 0:
        raise Failure("the packages that it needs are not there; see above")


def _run(command: list[str], cwd: Path | None = None, capture: bool = False) -> str:
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise Failure(f"`{' '.join(command)}` failed with exit code {done.returncode}:\n{done.stdout}")
    return done.stdout if capture else ""
