"""How names of .proto files become names in C (as protoc-gen-c's c_helpers.cc has it) and in Swift."""
import re

# Words that cannot name a nested Swift type: `X.Type`, `X.Protocol` and `X.self` mean something else.
RESERVED_TYPES = {"Any": "AnyMessage", "Protocol": "ProtocolMessage", "Self": "SelfMessage", "Type": "TypeMessage"}
RESERVED_NAMESPACES = {"Type": "Types", "Protocol": "Protocols"}

SWIFT_KEYWORDS = set("""
associatedtype class deinit enum extension fileprivate func import init inout internal let open operator private
precedencegroup protocol public rethrows static struct subscript typealias var break case catch continue default defer
do else fallthrough for guard if in repeat return throw switch where while as false is nil self Self super throws true
try
""".split())

# c_helpers.cc appends an underscore to field names that are keywords of C++.
C_KEYWORDS = set("""
and and_eq asm auto bitand bitor bool break case catch char class compl const const_cast continue default delete do
double dynamic_cast else enum explicit extern false float for friend goto if inline int long mutable namespace new not
not_eq operator or or_eq private protected public register reinterpret_cast return short signed sizeof static
static_cast struct switch template this throw true try typedef typeid typename union unsigned using virtual void
volatile wchar_t while xor xor_eq
""".split())


def upper_camel(name):
    """`stock_item` and `stockItem` → `StockItem`."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def lower_camel(name):
    """`created_on` → `createdOn`; `NOT_SERVING` → `notServing`."""
    parts = [part for part in (name.lower() if name.isupper() else name).split("_") if part]
    return parts[0] + "".join(part[:1].upper() + part[1:] for part in parts[1:])


def swift_identifier(name):
    """A property or case, in backquotes where it is a keyword."""
    return f"`{name}`" if name in SWIFT_KEYWORDS else name


def enum_case(enum_name, value_name):
    """`SnapshotMode`, `SNAPSHOT_MODE_FULL` → `full`."""
    prefix = upper_snake(enum_name) + "_"
    short = value_name.removeprefix(prefix) if value_name.startswith(prefix) else value_name
    case = lower_camel(short.upper() if re.fullmatch(r"[A-Z0-9_]+", short) else short)
    return "_" + case if case[0].isdigit() else case


def upper_snake(name):
    """`SnapshotMode` → `SNAPSHOT_MODE`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).upper()


def c_type(full_name):
    """`omsconnector.v1.StockItem` → `Omsconnector__V1__StockItem`."""
    return "__".join(upper_camel(part) for part in full_name.split("."))


def c_function_prefix(full_name):
    """`omsconnector.v1.StockItem` → `omsconnector__v1__stock_item`."""
    return "__".join(_camel_to_lower(part) for part in full_name.split("."))


def c_field(name):
    """The member of the C struct."""
    lowered = name.lower()
    return lowered + "_" if lowered in C_KEYWORDS else lowered


def _camel_to_lower(name):
    result, was_upper = "", True
    for character in name:
        if character.isupper() and not was_upper:
            result += "_"
        result += character.lower()
        was_upper = character.isupper()
    return result
