/// Why a mapping file can't be used: all that is wrong with it, each with its line.
public struct MappingError: Error, Sendable, Equatable, CustomStringConvertible {
  /// As in `line 3: …`, in the file's order.
  public let problems: [String]

  public var description: String { problems.joined(separator: "\n") }
}

extension Mapping {
  /// The longest text that is read, in bytes.
  static let largestFile = 1 << 20

  /// Reads a mapping file's text.
  ///
  /// - Throws: everything that is wrong, with line numbers.
  public init(parsing text: String) throws(MappingError) {
    self.init()
    guard text.utf8.count <= Self.largestFile else {
      throw MappingError(problems: ["\(text.utf8.count) bytes; a mapping has at most \(Self.largestFile)"])
    }
    var reader = MappingReader(mapping: self)
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      reader.read(line, number: index + 1)
    }
    guard reader.problems.isEmpty else { throw MappingError(problems: reader.problems) }
    self = reader.mapping
  }
}

/// Reads line after line, and notes what is wrong.
private struct MappingReader {
  var mapping: Mapping
  var problems: [String] = []
  /// The line on which each thing was mapped.
  private var lines: [String: Int] = [:]

  init(mapping: Mapping) { self.mapping = mapping }

  private struct Problem: Error {
    let text: String
    init(_ text: String) { self.text = text }
  }

  mutating func read(_ line: Substring, number: Int) {
    do throws(Problem) {
      guard let directive = try Directive(line) else { return }
      let subject = "\(directive.name) \(directive.subjects.joined(separator: " "))"
      if let first = lines[subject] { throw Problem("\(subject) is mapped on line \(first) already") }
      lines[subject] = number
      try apply(directive)
    } catch {
      problems.append("line \(number): \(error.text)")
    }
  }

  private mutating func apply(_ directive: Directive) throws(Problem) {
    switch directive.name {
    case "website":
      let (code, channel) = try directive.pair("website CODE = CHANNEL [vat-country=CC]", options: ["vat-country"])
      let country = directive.options["vat-country"]
      if let country, country.utf8.count != 2 || !country.utf8.allSatisfy({ (65...90).contains($0) }) {
        throw Problem("vat-country \"\(country)\" is no country code of two capital letters, such as DE")
      }
      mapping.websites[code] = .init(channel: channel, vatCountry: country)
    case "store":
      let (code, channel) = try directive.pair("store CODE = CHANNEL")
      mapping.storeViews[code] = channel
    case "aggregate":
      let (id, website) = try directive.pair("aggregate ID = WEBSITE [source=CODE]", options: ["source"])
      mapping.aggregates[id] = .init(website: website, source: directive.options["source"])
    case "shipping":
      try directive.check("shipping CARRIER_METHOD = SKU [NAME]", subjects: 1, values: 1...2)
      mapping.shipping[directive.subjects[0]] = .init(
        sku: directive.values[0], name: directive.values.last ?? directive.values[0])
    case "payment": try payment(directive)
    case "attribute":
      try directive.check("attribute LEVEL NAME [= OMS-NAME]", subjects: 2, values: 0...1)
      let allowed = Mapping.Level.allCases.map(\.rawValue).joined(separator: ", ")
      guard let level = Mapping.Level(rawValue: directive.subjects[0]) else {
        throw Problem("level \"\(directive.subjects[0])\" is none of \(allowed)")
      }
      let source = directive.subjects[1]
      mapping.attributes.append(.init(level: level, source: source, name: directive.values.first ?? source))
    case "service":
      let (kind, sku) = try directive.pair("service KIND = SKU")
      guard ["fee", "gift-wrap"].contains(kind) else { throw Problem("service \"\(kind)\" is none of fee, gift-wrap") }
      mapping.services[kind] = sku
    default:
      throw Problem(
        "\"\(directive.name)\" is none of website, store, aggregate, shipping, payment, attribute, service")
    }
  }

  private mutating func payment(_ directive: Directive) throws(Problem) {
    let usage = "payment METHOD = MODEL [gateway=ID] [parts=yes|no] [authorization-days=N]"
    let (method, text) = try directive.pair(usage, options: ["gateway", "parts", "authorization-days"])
    guard let model = Mapping.CaptureModel(rawValue: text) else {
      let allowed = Mapping.CaptureModel.allCases.map(\.rawValue).joined(separator: ", ")
      throw Problem("payment model \"\(text)\" is none of \(allowed)")
    }
    var payment = Mapping.PaymentMethod(model: model)
    if let gateway = directive.options["gateway"] {
      payment.gateway = gateway
    } else if model == .custom {
      throw Problem("payment \(method) is custom and names no gateway; add gateway=ID")
    }
    switch directive.options["parts"] {
    case nil, "no": break
    case "yes": payment.capturesInParts = true
    case let other?: throw Problem("parts=\(other) is neither yes nor no")
    }
    if let text = directive.options["authorization-days"] {
      guard let days = Int(text), (1...365).contains(days) else {
        throw Problem("authorization-days=\(text) is not a number from 1 to 365")
      }
      payment.authorizationDays = days
    }
    mapping.payments[method] = payment
  }

  /// A line: `NAME SUBJECT… = VALUE… OPTION=…`.
  private struct Directive {
    let name: String
    var subjects: [String] = []
    var values: [String] = []
    var options: [String: String] = [:]

    /// nil for an empty line or a comment.
    init?(_ line: Substring) throws(Problem) {
      var words = try Self.words(line)
      guard let first = words.first else { return nil }
      name = first.text
      words.removeFirst()
      var isValue = false
      for word in words {
        if !word.isQuoted && word.text == "=" {
          guard !isValue else { throw Problem("a second =; put it in double quotes if it belongs to a name") }
          isValue = true
        } else if isValue, !word.isQuoted, let equals = word.text.firstIndex(of: "=") {
          let option = String(word.text[..<equals])
          guard options.updateValue(String(word.text[word.text.index(after: equals)...]), forKey: option) == nil else {
            throw Problem("\(option) is given twice")
          }
        } else if isValue {
          values.append(word.text)
        } else {
          subjects.append(word.text)
        }
      }
    }

    func check(
      _ usage: String, subjects: Int, values: ClosedRange<Int>, options: Set<String> = []
    ) throws(Problem) {
      guard self.subjects.count == subjects, values.contains(self.values.count),
        (self.subjects + self.values).allSatisfy({ !$0.isEmpty })
      else { throw Problem("write \(usage)") }
      if let option = self.options.keys.sorted().first(where: { !options.contains($0) }) {
        throw Problem("\(option)= is not known; write \(usage)")
      }
      if let option = self.options.sorted(by: { $0.key < $1.key }).first(where: { $0.value.isEmpty }) {
        throw Problem("\(option.key)= has no value; write \(usage)")
      }
    }

    func pair(_ usage: String, options: Set<String> = []) throws(Problem) -> (String, String) {
      try check(usage, subjects: 1, values: 1...1, options: options)
      return (subjects[0], values[0])
    }

    private static func words(_ line: Substring) throws(Problem) -> [(text: String, isQuoted: Bool)] {
      var words: [(text: String, isQuoted: Bool)] = []
      var rest = line
      while let first = rest.first {
        if first.isWhitespace {
          rest = rest.dropFirst()
        } else if first == "#" {
          break
        } else if first == "\"" {
          rest = rest.dropFirst()
          guard let end = rest.firstIndex(of: "\"") else { throw Problem("a double quote is not closed") }
          words.append((String(rest[..<end]), true))
          rest = rest[end...].dropFirst()
        } else {
          let word = rest.prefix { !$0.isWhitespace }
          words.append((String(word), false))
          rest = rest.dropFirst(word.count)
        }
      }
      return words
    }
  }
}
