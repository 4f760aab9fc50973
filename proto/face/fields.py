"""One field of a message: its Swift type, and how it is read from and written to the C struct."""
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field

from names import c_field, lower_camel, swift_identifier
from schema import is_message, is_repeated

SCALARS = {
    Field.TYPE_DOUBLE: "Double", Field.TYPE_FLOAT: "Float",
    Field.TYPE_INT32: "Int32", Field.TYPE_SINT32: "Int32", Field.TYPE_SFIXED32: "Int32",
    Field.TYPE_INT64: "Int64", Field.TYPE_SINT64: "Int64", Field.TYPE_SFIXED64: "Int64",
    Field.TYPE_UINT32: "UInt32", Field.TYPE_FIXED32: "UInt32",
    Field.TYPE_UINT64: "UInt64", Field.TYPE_FIXED64: "UInt64",
    Field.TYPE_BOOL: "Bool", Field.TYPE_STRING: "String", Field.TYPE_BYTES: "[UInt8]",
}


class SwiftField:
    """A field that stands alone or is a member of a oneof; maps and repeated fields included."""

    def __init__(self, schema, field):
        self.field = field
        self.number = field.number
        self.name = swift_identifier(lower_camel(field.name))
        self.c_name = c_field(field.name)
        self.in_oneof = field.HasField("oneof_index")
        entry = schema.map_entry(field)
        self.key = SwiftField(schema, entry.field[0]) if entry else None
        self.value = SwiftField(schema, entry.field[1]) if entry else None
        if field.type in SCALARS:
            self.element = SCALARS[field.type]
        else:
            self.element = schema.swift_names[field.type_name]
        self.is_message = is_message(field)
        self.is_repeated = is_repeated(field)

    @property
    def type(self):
        if self.key:
            value = self.value.element
            return f"[{self.key.element}: {value}]"
        if self.is_repeated:
            return f"[{self.element}]"
        return f"{self.element}?" if self.is_message else self.element

    @property
    def default(self):
        if self.key:
            return "[:]"
        if self.is_repeated or self.field.type == Field.TYPE_BYTES:
            return "[]"
        if self.is_message:
            return "nil"
        if self.field.type == Field.TYPE_STRING:
            return '""'
        if self.field.type == Field.TYPE_BOOL:
            return "false"
        return f"{self.element}()" if self.field.type == Field.TYPE_ENUM else "0"

    def read(self, c="c"):
        """The Swift value of the field in the C struct that `c` points to."""
        member = f"{c}.pointee.{self.c_name}"
        if self.key:
            key, value = self.key.read("$0"), self.value.read("$0")
            if self.value.is_message:
                value += f" ?? {self.value.element}()"
            return f"readMap({c}.pointee.n_{self.c_name}, {member}) {{ ({key}, {value}) }}"
        if self.is_repeated:
            return f"read{self._plural}({c}.pointee.n_{self.c_name}, {member})"
        if self.is_message:
            return f"{member}.map {{ {self.element}(unpacked: $0) }}"
        if self.field.type == Field.TYPE_BOOL:
            return f"{member} != 0"
        if self.field.type == Field.TYPE_ENUM:
            return f"{self.element}(rawValue: Int32(truncatingIfNeeded: {member}.rawValue))"
        if self.field.type in (Field.TYPE_STRING, Field.TYPE_BYTES):
            return f"read{self._kind}({member})"
        return member

    def read_in_oneof(self):
        """The same where the field's case is the one that is set, so that a message is there."""
        return f"{self.element}(unpacked: c.pointee.{self.c_name})" if self.is_message else self.read()

    def write(self, value, c="c"):
        """The statements that put the Swift `value`, not optional, into the C struct."""
        member = f"{c}.pointee.{self.c_name}"
        if self.key:
            entry = f"{self.key.write('key', 'entry')[0]}; {self.value.write('value', 'entry')[0]}"
            return [f"({c}.pointee.n_{self.c_name}, {member}) = arena.map({value}, entry__init) {{ entry, key, value in",
                    f"  {entry}", "}"]
        if self.is_repeated:
            return [f"({c}.pointee.n_{self.c_name}, {member}) = arena.{self._plural[0].lower()}{self._plural[1:]}({value})"]
        if self.is_message:
            return [f"{member} = arena.message({value})"]
        if self.field.type == Field.TYPE_BOOL:
            return [f"{member} = {value} ? 1 : 0"]
        if self.field.type == Field.TYPE_ENUM:
            return [f"{member} = .init(rawValue: .init(truncatingIfNeeded: {value}.rawValue))"]
        if self.field.type in (Field.TYPE_STRING, Field.TYPE_BYTES):
            return [f"{member} = arena.{self._kind.lower()}({value})"]
        return [f"{member} = {value}"]

    @property
    def _plural(self):
        return "ByteLists" if self._kind == "Bytes" else self._kind + "s"

    @property
    def _kind(self):
        if self.is_message:
            return "Message"
        kinds = {Field.TYPE_STRING: "String", Field.TYPE_BYTES: "Bytes", Field.TYPE_BOOL: "Bool",
                 Field.TYPE_ENUM: "Enum"}
        return kinds.get(self.field.type, "Number")
