"""Swift messages and enums: one file per .proto file, and the namespaces that they stand in."""
from fields import SwiftField
from names import c_function_prefix, c_type, enum_case, lower_camel, swift_identifier, upper_camel
from schema import HEADER, Comments, SchemaError, flat_name, namespaces


def generate(schema):
    folder = schema.options["messages"]
    yield f"{folder}/Namespaces.swift", _namespaces(schema)
    for file in schema.own_files:
        if file.message_type or file.enum_type:
            yield f"{folder}/{flat_name(file)}", _file(schema, file)


def _namespaces(schema):
    tree = {}
    for file in schema.own_files:
        node = tree
        for part in namespaces(file):
            node = node.setdefault(part, {})
    lines = [HEADER.format("the packages of the .proto files"), "// swift-format-ignore-file", ""]
    packages = {".".join(namespaces(file)): file.package for file in schema.own_files}

    def emit(node, path, indent):
        for name in sorted(node):
            scope = path + [name]
            package = packages.get(".".join(scope))
            lines.append(f"{indent}/// Package `{package}`." if package else f"{indent}/// A part of packages' names.")
            lines.append(f"{indent}public enum {name} {{")
            emit(node[name], scope, indent + "  ")
            lines.append(indent + "}")

    emit(tree, [], "")
    return "\n".join(lines) + "\n"


def _file(schema, file):
    comments = Comments(file)
    lines = [HEADER.format(file.name), "// swift-format-ignore-file", ""]
    modules = [schema.options["c_module"], *schema.imports]
    lines += [f"internal import {name}" if name.startswith("C") else f"public import {name}" for name in modules]
    lines += ["", f"extension {'.'.join(namespaces(file))} {{"]
    for index, enum in enumerate(file.enum_type):
        lines += _enum(enum, f"{file.package}.{enum.name}", schema, comments, (5, index), "  ")
    for index, message in enumerate(file.message_type):
        lines += _message(schema, message, f"{file.package}.{message.name}", comments, (4, index), "  ")
    while lines[-1] == "":
        lines.pop()
    return "\n".join(lines + ["}"]) + "\n"


def _enum(enum, full_name, schema, comments, path, indent):
    name = schema.swift_names["." + full_name].split(".")[-1]
    lines = comments.lines(path) or [f"/// `{full_name}`."]
    lines.append(f"public struct {name}: MessageEnum {{")
    lines += ["  public var rawValue: Int32",
              "  public init(rawValue: Int32) { self.rawValue = rawValue }"]
    cases = {}
    for index, value in enumerate(enum.value):
        case = enum_case(enum.name, value.name)
        if case in cases:
            raise SchemaError(f"{full_name}.{value.name}: the Swift name \"{case}\" is {cases[case]}'s already")
        cases[case] = value.name
        lines.append("")
        lines += comments.lines((*path, 2, index), "  ") or [f"  /// `{value.name}`."]
        lines.append(f"  public static let {swift_identifier(case)} = {name}(rawValue: {value.number})")
    lines += ["", "  public static let valueNames: [(number: Int32, name: StaticString)] = ["]
    lines += [f'    ({value.number}, "{value.name}"),' for value in enum.value]
    lines += ["  ]", "}", ""]
    return [(indent + line).rstrip() for line in lines]


class _Property:
    """A stored property of a Swift message: a field, or a oneof."""

    def __init__(self, schema, message, field, path, comments, index):
        self.fields = [SwiftField(schema, field)]
        self.oneof = None
        self.name, self.type, self.default = self.fields[0].name, self.fields[0].type, self.fields[0].default
        self.comment = comments.lines((*path, 2, index))
        if field.HasField("oneof_index"):
            self.oneof = message.oneof_decl[field.oneof_index]
            members = [(i, other) for i, other in enumerate(message.field)
                       if other.HasField("oneof_index") and other.oneof_index == field.oneof_index]
            self.default = "nil"
            if len(members) > 1:
                self.fields = [SwiftField(schema, other) for _, other in members]
                self.member_comments = [comments.lines((*path, 2, i)) for i, _ in members]
                self.comment = comments.lines((*path, 8, field.oneof_index))
                self.name = swift_identifier(lower_camel(self.oneof.name))
                self.type = upper_camel(self.oneof.name) + "?"
            else:
                self.type = self.fields[0].element + "?"

    @property
    def is_enum(self):
        return len(self.fields) > 1


def _properties(schema, message, path, comments):
    seen, properties = set(), []
    for index, field in enumerate(message.field):
        if field.HasField("oneof_index"):
            if field.oneof_index in seen:
                continue
            seen.add(field.oneof_index)
        properties.append(_Property(schema, message, field, path, comments, index))
    return properties


def _message(schema, message, full_name, comments, path, indent):
    name = schema.swift_names["." + full_name].split(".")[-1]
    properties = _properties(schema, message, path, comments)
    lines = comments.lines(path) or [f"/// `{full_name}`."]
    lines.append(f"public struct {name}: Message {{")
    for property in properties:
        lines += ["  " + line for line in property.comment]
        lines.append(f"  public var {property.name}: {property.type} = {property.default}")
    if properties:
        lines.append("")
    lines.append("  public init() {}")
    if properties:
        lines += _memberwise(properties)
    for property in properties:
        if property.is_enum:
            lines += _oneof(property)
    lines += _bridge(full_name, properties)
    for index, enum in enumerate(message.enum_type):
        lines += ["", *_enum(enum, f"{full_name}.{enum.name}", schema, comments, (*path, 4, index), "  ")[:-1]]
    for index, nested in enumerate(message.nested_type):
        if not nested.options.map_entry:
            inner = _message(schema, nested, f"{full_name}.{nested.name}", comments, (*path, 3, index), "  ")
            lines += ["", *inner[:-1]]
    lines += ["}", ""]
    return [(indent + line).rstrip() for line in lines]


def _memberwise(properties):
    lines = ["", "  public init("]
    for index, property in enumerate(properties):
        comma = "," if index + 1 < len(properties) else ""
        lines.append(f"    {property.name}: {property.type} = {property.default}{comma}")
    lines.append("  ) {")
    lines += [f"    self.{property.name} = {property.name}" for property in properties]
    return lines + ["  }"]


def _oneof(property):
    lines = ["", f"  /// At most one of these is set (oneof `{property.oneof.name}`).",
             f"  public enum {property.type[:-1]}: Sendable, Equatable {{"]
    for field, comment in zip(property.fields, property.member_comments):
        lines += ["    " + line for line in comment]
        lines.append(f"    case {field.name}({field.element})")
    return lines + ["  }"]


def _bridge(full_name, properties):
    c, function = c_type(full_name), c_function_prefix(full_name)
    lines = ["", f'  public static let fullName = "{full_name}"', "",
             f"  public static var descriptor: MessageDescriptor {{ MessageDescriptor({function}__descriptor_pointer()) }}"]
    if not properties:
        return lines + ["", "  public init(unpacked pointer: UnsafeRawPointer) {}", "",
                        "  public func fill(_ pointer: UnsafeMutableRawPointer, in arena: MessageArena) {",
                        f"    {function}__init(pointer.assumingMemoryBound(to: {c}.self))", "  }"]
    lines += ["", "  public init(unpacked pointer: UnsafeRawPointer) {",
              f"    let c = pointer.assumingMemoryBound(to: {c}.self)"]
    for property in properties:
        lines += ["    " + line for line in _read(property)]
    lines += ["  }", "", "  public func fill(_ pointer: UnsafeMutableRawPointer, in arena: MessageArena) {",
              f"    let c = pointer.assumingMemoryBound(to: {c}.self)", f"    {function}__init(c)"]
    for property in properties:
        lines += ["    " + line for line in _write(property, full_name)]
    return lines + ["  }"]


def _read(property):
    if property.oneof is None:
        return [f"self.{property.name} = {property.fields[0].read()}"]
    case = f"c.pointee.{property.oneof.name.lower()}_case.rawValue"
    if not property.is_enum:
        field = property.fields[0]
        return [f"if {case} == {field.number} {{ self.{field.name} = {field.read_in_oneof()} }}"]
    lines = [f"switch {case} {{"]
    for field in property.fields:
        lines.append(f"case {field.number}: self.{property.name} = .{field.name}({field.read_in_oneof()})")
    return lines + ["default: break", "}"]


def _write(property, full_name):
    if property.oneof is None:
        field = property.fields[0]
        lines = field.write(f"self.{property.name}")
        if field.key:
            entry = c_function_prefix(f"{full_name}.{upper_camel(field.field.name)}Entry")
            return [line.replace("entry__init", f"{entry}__init") for line in lines]
        if field.is_message and not field.is_repeated:
            return [f"if let value = self.{property.name} {{ {field.write('value')[0]} }}"]
        return lines
    case = f"c.pointee.{property.oneof.name.lower()}_case"
    if not property.is_enum:
        field = property.fields[0]
        return [f"if let value = self.{property.name} {{",
                f"  {case} = .init(rawValue: {field.number})", f"  {field.write('value')[0]}", "}"]
    lines = [f"switch self.{property.name} {{"]
    for field in property.fields:
        lines += [f"case .{field.name}(let value):", f"  {case} = .init(rawValue: {field.number})",
                  f"  {field.write('value')[0]}"]
    return lines + ["case nil: break", "}"]
