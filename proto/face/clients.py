"""Typed clients, in their package's namespace."""
from schema import HEADER, Comments, flat_name, namespaces
from stubs import Method, imports


def generate(schema):
    folder = schema.options.get("stubs")
    for file in schema.own_files if folder else []:
        if file.service:
            yield f"{folder}/{flat_name(file).removesuffix('.swift')}.client.swift", _file(schema, file)


def _function(method, methods):
    """The client's function for one method."""
    descriptor = f"{methods}.{method.identifier}"
    start = f"public func {method.identifier}"
    if method.type == "unary":
        return [f"{start}(_ request: {method.request}, options: CallOptions = .init()) async throws",
                f"  -> {method.response}", "{",
                f"  try await channel.unary({descriptor}, request, options: options)", "}"]
    if method.type == "clientStreaming":
        return [f"{start}(", "  options: CallOptions = .init(),",
                f"  _ body: @escaping @Sendable (RequestWriter<{method.request}>) async throws -> Void",
                f") async throws -> {method.response} {{",
                f"  try await channel.clientStreaming({descriptor}, options: options, body)", "}"]
    if method.type == "serverStreaming":
        return [f"{start}(_ request: {method.request}, options: CallOptions = .init()) async throws",
                f"  -> ResponseStream<{method.response}>", "{",
                f"  try await channel.serverStreaming({descriptor}, request, options: options)", "}"]
    return [f"{start}(options: CallOptions = .init()) async throws",
            f"  -> BidirectionalCall<{method.request}, {method.response}>", "{",
            f"  try await channel.bidirectional({descriptor}, options: options)", "}"]


def _file(schema, file):
    comments, scope = Comments(file), ".".join(namespaces(file))
    lines = [HEADER.format(file.name), "// swift-format-ignore-file", "", *imports(schema)]
    for index, service in enumerate(file.service):
        lines += ["", f"extension {scope} {{", f"  /// Calls `{file.package}.{service.name}`.",
                  f"  public struct {service.name}Client: Sendable {{", "    private let channel: Channel", "",
                  "    /// The channel is shared, and shut down by its owner.",
                  "    public init(_ channel: Channel) { self.channel = channel }"]
        for number, method in enumerate(service.method):
            method = Method(schema, method)
            lines.append("")
            lines += comments.lines((6, index, 2, number), "    ") or [f"    /// Method `{method.proto_name}`."]
            lines += ["    " + line for line in _function(method, f"{scope}.{service.name}Methods")]
        lines += ["  }", "}"]
    return "\n".join(lines) + "\n"
