"""Builds the peer on Debian's gRPC C++ into .build/interop: what has changed since the last time, and nothing else."""

from concurrent.futures import ThreadPoolExecutor
import glob
import os

from conformance.building import build
from stack import ROOT

# Not optimized: compiling takes longer than all that the tests do with it.
FLAGS = ["-std=c++17", "-O0", "-Wall", "-Wextra", "-Werror"]
PROTOS = ["grpc/testing/empty", "grpc/testing/messages", "grpc/testing/test"]
PLUGIN = "/usr/bin/grpc_cpp_plugin"


def build_peer(sources, protos, output):
    """`output`/server and `output`/client, each from its folder of `sources`, and the .proto files in `protos`."""
    generated = _generate(protos, os.path.join(output, "generated"))
    headers = [path for path in generated if path.endswith(".h")]
    headers += glob.glob(os.path.join(sources, "**", "*.h"), recursive=True)
    includes = ["-I", sources, "-isystem", os.path.join(output, "generated")]

    def compile_unit(source):
        target = os.path.join(output, os.path.relpath(source, ROOT).replace("/", "-") + ".o")
        if _is_older(target, [source, *headers, __file__]):
            build(f"C++: {source}", ["g++", *FLAGS, *includes, "-c", source, "-o", target])
        return target

    with ThreadPoolExecutor(os.cpu_count()) as compilers:
        messages = compilers.map(compile_unit, [path for path in generated if path.endswith(".cc")])
        parts = {program: compilers.map(compile_unit, glob.glob(os.path.join(sources, program, "*.cc")))
                 for program in ("server", "client")}
        messages = list(messages)
    libraries = build("C++: libraries", ["pkg-config", "--libs", "grpc++", "protobuf"]).split()
    for program, objects in parts.items():
        target, objects = os.path.join(output, program), [*objects, *messages]
        if _is_older(target, objects):
            build(f"C++: {program}", ["g++", *objects, *libraries, "-o", target])


def _generate(protos, folder):
    os.makedirs(folder, exist_ok=True)
    names = [f"{proto}{suffix}" for proto in PROTOS for suffix in (".pb.cc", ".pb.h")]
    names += [f"{PROTOS[-1]}.grpc{suffix}" for suffix in (".pb.cc", ".pb.h")]
    generated = [os.path.join(folder, name) for name in names]
    files = [f"{proto}.proto" for proto in PROTOS]
    if any(_is_older(path, [os.path.join(protos, file) for file in files]) for path in generated):
        build("C++: messages", ["protoc", "-I", protos, f"--cpp_out={folder}", f"--grpc_out={folder}",
                                f"--plugin=protoc-gen-grpc={PLUGIN}", *files])
    return [path for path in generated if os.path.exists(path)]


def _is_older(target, sources):
    if not os.path.exists(target):
        return True
    made = os.stat(target).st_mtime_ns
    return any(os.stat(source).st_mtime_ns > made for source in sources)
