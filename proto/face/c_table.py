"""C beside the generated messages: a pointer to each descriptor, and the table that reflection answers from."""
from google.protobuf import descriptor_pb2

from names import c_function_prefix
from schema import HEADER

IDEMPOTENCY = {0: "CM_IDEMPOTENCY_UNKNOWN", 1: "CM_NO_SIDE_EFFECTS", 2: "CM_IDEMPOTENT"}


def generate(schema):
    yield f"{schema.options['c']}/include/generated.h", _header(schema)
    if "descriptors" in schema.options:
        yield f"{schema.options['descriptors']}/descriptors.c", _table(schema)


def _messages(file):
    def walk(message, scope):
        full_name = f"{scope}.{message.name}"
        yield full_name
        for nested in message.nested_type:
            yield from walk(nested, full_name)

    for message in file.message_type:
        yield from walk(message, file.package)


def _header(schema):
    lines = [HEADER.format("the .proto files"), "#pragma once", ""]
    lines += [f'#include "{file.name.removesuffix(".proto")}.pb-c.h"' for file in schema.own_files]
    lines += ["", "// Swift cannot take the address of a C constant."]
    for file in schema.own_files:
        for name in _messages(file):
            prefix = c_function_prefix(name)
            lines.append(f"static inline const ProtobufCMessageDescriptor *{prefix}__descriptor_pointer(void) {{ "
                         f"return &{prefix}__descriptor; }}")
    return "\n".join(lines) + "\n"


def _symbols(file):
    """Every fully-qualified name that the file defines, as reflection clients ask for them."""
    def walk(message, scope):
        full_name = f"{scope}.{message.name}"
        yield full_name
        yield from (f"{full_name}.{field.name}" for field in message.field)
        yield from (f"{full_name}.{oneof.name}" for oneof in message.oneof_decl)
        for enum in message.enum_type:
            yield from enums(enum, full_name)
        for nested in message.nested_type:
            yield from walk(nested, full_name)

    def enums(enum, scope):
        yield f"{scope}.{enum.name}"
        yield from (f"{scope}.{value.name}" for value in enum.value)

    for message in file.message_type:
        yield from walk(message, file.package)
    for enum in file.enum_type:
        yield from enums(enum, file.package)
    for service in file.service:
        yield f"{file.package}.{service.name}"
        yield from (f"{file.package}.{service.name}.{method.name}" for method in service.method)


def _table(schema):
    files = schema.own_files
    names = [file.name for file in files]
    lines = [HEADER.format("the .proto files"), '#include "descriptors.h"', ""]
    for index, file in enumerate(files):
        bare = descriptor_pb2.FileDescriptorProto()
        bare.CopyFrom(file)
        bare.ClearField("source_code_info")
        data = bare.SerializeToString(deterministic=True)
        lines += [f"// {file.name}", f"static const uint8_t bytes_{index}[] = {{"]
        lines += ["  " + " ".join(f"0x{byte:02x}," for byte in data[at:at + 20]) for at in range(0, len(data), 20)]
        lines.append("};")
        lines += _strings(f"symbols_{index}", _symbols(file))
        lines += _strings(f"dependencies_{index}", [name for name in file.dependency if name in names])
        lines += _services(index, file) + [""]
    lines.append("const cm_file cm_files[] = {")
    for index, file in enumerate(files):
        symbols, count = len(list(_symbols(file))), len(file.service)
        dependencies = len([name for name in file.dependency if name in names])
        services = f"services_{index}" if count else "0"
        lines.append(f'  {{"{file.name}", bytes_{index}, sizeof bytes_{index}, '
                     f"{f'dependencies_{index}' if dependencies else '0'}, {dependencies}, "
                     f"{f'symbols_{index}' if symbols else '0'}, {symbols}, {services}, {count}}},")
    lines += ["};", f"const size_t cm_file_count = {len(files)};"]
    return "\n".join(lines) + "\n"


def _strings(name, values):
    values = list(values)
    if not values:
        return []
    return [f"static const char *const {name}[] = {{", *[f'  "{value}",' for value in values], "};"]


def _services(index, file):
    lines = []
    for number, service in enumerate(file.service):
        lines.append(f"static const cm_method methods_{index}_{number}[] = {{")
        for method in service.method:
            path = f"/{file.package}.{service.name}/{method.name}"
            streaming = f"{int(method.client_streaming)}, {int(method.server_streaming)}"
            lines.append(f'  {{"{method.name}", "{path}", "{method.input_type[1:]}", "{method.output_type[1:]}", '
                         f"{IDEMPOTENCY[method.options.idempotency_level]}, {streaming}}},")
        lines.append("};")
    if file.service:
        lines.append(f"static const cm_service services_{index}[] = {{")
        for number, service in enumerate(file.service):
            lines.append(f'  {{"{file.package}.{service.name}", methods_{index}_{number}, {len(service.method)}}},')
        lines.append("};")
    return lines
