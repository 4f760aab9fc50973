"""Service protocols to implement and method descriptors, in their package's namespace."""
from names import swift_identifier
from schema import HEADER, Comments, flat_name, namespaces

CALL_TYPES = {(False, False): "unary", (True, False): "clientStreaming",
              (False, True): "serverStreaming", (True, True): "bidirectional"}
IDEMPOTENCY = {0: "unknown", 1: "noSideEffects", 2: "idempotent"}


def generate(schema):
    folder = schema.options.get("stubs")
    for file in schema.own_files if folder else []:
        if file.service:
            yield f"{folder}/{flat_name(file)}", _file(schema, file)


class Method:
    """One rpc in Swift's words."""

    def __init__(self, schema, method):
        self.name = method.name[:1].lower() + method.name[1:]
        self.identifier = swift_identifier(self.name)
        self.proto_name = method.name
        self.request = schema.swift_names[method.input_type]
        self.response = schema.swift_names[method.output_type]
        self.type = CALL_TYPES[method.client_streaming, method.server_streaming]
        self.idempotency = IDEMPOTENCY[method.options.idempotency_level]

    @property
    def server_signature(self):
        request = f"RequestStream<{self.request}>" if self.type in ("clientStreaming", "bidirectional") else self.request
        label = "requests" if request.startswith("RequestStream") else "request"
        if self.type in ("unary", "clientStreaming"):
            return (f"func {self.identifier}(_ {label}: {request}, context: ServerContext) async throws\n"
                    f"    -> {self.response}")
        return (f"func {self.identifier}(\n    _ {label}: {request}, responses: ResponseWriter<{self.response}>, "
                "context: ServerContext\n  ) async throws")

    def registration(self, methods):
        descriptor = f"{methods}.{self.identifier}"
        if self.type in ("unary", "clientStreaming"):
            return f"router.{self.type}({descriptor}) {{ try await self.{self.identifier}($0, context: $1) }}"
        return (f"router.{self.type}({descriptor}) {{\n      "
                f"try await self.{self.identifier}($0, responses: $1, context: $2)\n    }}")


def imports(schema):
    """The messages' module, where it is another one than the stubs', and what carries the calls."""
    beside = schema.options["stubs"] == schema.options["messages"]
    return ["public import RPC"] if beside else ["public import Messages", "public import RPC"]


def _file(schema, file):
    comments = Comments(file)
    lines = [HEADER.format(file.name), "// swift-format-ignore-file", "", *imports(schema)]
    for index, service in enumerate(file.service):
        lines += ["", *_service(schema, file, service, comments, (6, index))]
    return "\n".join(lines) + "\n"


def _service(schema, file, service, comments, path):
    scope = ".".join(namespaces(file))
    methods = [Method(schema, method) for method in service.method]
    full_name = f"{file.package}.{service.name}"
    table = f"{scope}.{service.name}Methods"
    lines = [f"extension {scope} {{", f"  /// The methods of `{full_name}`.", f"  public enum {service.name}Methods {{",
             f'    public static let serviceName = "{full_name}"']
    for method in methods:
        lines += ["", f"    public static let {method.identifier} = MethodDescriptor<{method.request}, {method.response}>(",
                  f'      service: serviceName, method: "{method.proto_name}", type: .{method.type}, '
                  f"idempotency: .{method.idempotency})"]
    lines += ["  }", ""]
    lines += comments.lines(path, "  ") or [f"  /// Service `{full_name}`."]
    lines.append(f"  public protocol {service.name}: Sendable {{")
    for index, method in enumerate(methods):
        lines += [""] if index else []
        lines += comments.lines((*path, 2, index), "    ") or [f"    /// Method `{method.proto_name}`."]
        lines += ["  " + line for line in f"  {method.server_signature}".split("\n")]
    lines += ["  }", "}", "", f"extension {scope}.{service.name} {{",
              "  /// Lets the router answer the service's methods with this implementation.",
              "  public func register(in router: inout Router) {"]
    lines += [f"    {method.registration(table)}" for method in methods]
    return lines + ["  }", "}"]
