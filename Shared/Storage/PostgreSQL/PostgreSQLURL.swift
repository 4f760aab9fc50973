import CPQ

/// Where a PostgreSQL server is and how it lets us in: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE?…`, as libpq
/// understands it (PostgreSQL's manual, §34.1.1.2). It may hold a password, so it never shows itself whole.
public struct PostgreSQLURL: Sendable, Equatable {
  let text: String
  /// What may be said about it: database, server and user.
  public let description: String
  /// The name that its sessions have at the server, when the text says one.
  let application: String?
  private let given: Set<String>

  static let schemes = ["postgresql://", "postgres://"]

  /// - Throws: ``StorageError`` of kind `cannotOpen` that says what is allowed, and never shows the text.
  public init(_ text: String) throws(StorageError) {
    guard Self.schemes.contains(where: text.hasPrefix), !text.utf8.contains(0) else { throw Self.refused(nil) }
    var reason: UnsafeMutablePointer<CChar>?
    guard let options = PQconninfoParse(text, &reason) else {
      defer { PQfreemem(reason) }
      // libpq's reason quotes the text.
      let mayHoldPassword = text.contains("@") || text.contains("password")
      throw Self.refused(mayHoldPassword ? nil : reason.map { String(cString: $0) })
    }
    defer { PQconninfoFree(options) }
    var values: [String: String] = [:]
    var option = options
    while let keyword = option.pointee.keyword {
      if let value = option.pointee.val { values[String(cString: keyword)] = String(cString: value) }
      option += 1
    }
    guard Self.arePorts(values["port"] ?? "") else { throw Self.refused("the port is no number from 1 to 65535") }
    self.text = text
    given = Set(values.keys)
    application = values["application_name"]
    let server = values["host"] ?? values["hostaddr"] ?? "the local server"
    // Of several servers, each may have one or leave it to the default.
    let port = values["port"].map { $0.contains(where: \.isNumber) ? ", port \($0)" : "" } ?? ""
    let database = values["dbname"] ?? values["user"] ?? ""
    description = "\"\(database)\" on \(server)\(port)"
  }

  /// Whether the text says something about this parameter of libpq.
  func says(_ keyword: String) -> Bool { given.contains(keyword) }

  /// One for each of several servers; nothing stands for the usual one. libpq looks at it when it connects only.
  private static func arePorts(_ text: String) -> Bool {
    text.split(separator: ",").allSatisfy { UInt16($0).map { $0 > 0 } ?? false }
  }

  private static func refused(_ reason: String?) -> StorageError {
    StorageError(
      .cannotOpen, "not the address of a PostgreSQL store" + (reason.map { ": \(OneLine.of($0))" } ?? ""),
      remedy: "write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with percent-encoding for what is special in URLs")
  }
}

extension PostgreSQLURL: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}

/// libpq's messages have line breaks in them and at their end.
enum OneLine {
  static func of(_ text: String) -> String {
    text.split(whereSeparator: \.isNewline).map { $0.trimmingPrefix { $0 == " " || $0 == "\t" } }.joined(
      separator: "; ")
  }
}
