import Glibc
import HTTP
import ServiceKit

/// How services come to the shop.
public enum CommerceSettings {
  public static let url = Setting.url("COMMERCE_URL", "the shop's address; without it nothing is read or written there")
    .optional
  public static let token = Setting.secret("COMMERCE_TOKEN", "the access token of the shop's integration").optional
  public static let consumerKey = Setting.text(
    "COMMERCE_CONSUMER_KEY", "the integration's consumer key: requests are signed as OAuth 1.0a instead of Bearer"
  ).optional
  public static let consumerSecret = Setting.secret(
    "COMMERCE_CONSUMER_SECRET", "the integration's consumer secret, of OAuth 1.0a"
  ).optional
  public static let tokenSecret = Setting.secret(
    "COMMERCE_TOKEN_SECRET", "the integration's access token secret, of OAuth 1.0a"
  ).optional
  public static let mappingFile = Setting.file(
    "COMMERCE_MAPPING_FILE",
    "file that says what of the shop is called what at the OMS; Magento's own methods without it"
  ).optional
  public static let timeout = Setting.duration(
    "COMMERCE_TIMEOUT", .seconds(1) ... .seconds(600), "how long the shop may take to answer", default: "60s")
  public static let maxConcurrency = Setting.integer(
    "COMMERCE_MAX_CONCURRENCY", 1...64, "requests of one process that the shop works on at the same time", default: "8")
  public static let maxRate = Setting.integer(
    "COMMERCE_MAX_RATE", 1...10_000, "requests a second of one process; without it, as many as the shop takes"
  ).optional
  public static let pollInterval = Setting.duration(
    "COMMERCE_POLL_INTERVAL", .milliseconds(100) ... .seconds(86_400), "how often the shop is asked for what is new",
    default: "60s")

  public static let all: [any DeclaredSetting] = [
    url, token, consumerKey, consumerSecret, tokenSecret, mappingFile, timeout, maxConcurrency, maxRate, pollInterval,
  ]
}

/// The shop as a service sees it: the way to it, and what of it is called what at the OMS.
public struct Shop: Sendable {
  /// nil without COMMERCE_URL.
  public let client: CommerceClient?
  public let mapping: Mapping
  /// Shared by all who read it.
  public let pageSize: PageSize
  public let pollInterval: Duration

  public init(client: CommerceClient?, mapping: Mapping, pollInterval: Duration = .seconds(60)) {
    self.client = client
    self.mapping = mapping
    self.pollInterval = pollInterval
    pageSize = PageSize()
  }

  /// - Throws: a line for each combination that makes no sense, and for each line of the mapping file that does not.
  public init(_ configuration: Configuration) throws(ConfigurationError) {
    var problems: [String] = []
    let credentials = Self.credentials(configuration, &problems)
    let mapping = Self.mapping(configuration, &problems)
    guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
    var options = CommerceClient.Options()
    options.timeout = configuration[CommerceSettings.timeout]
    options.concurrency = configuration[CommerceSettings.maxConcurrency]
    options.rate = configuration[CommerceSettings.maxRate]
    var client: CommerceClient?
    if let url = configuration[CommerceSettings.url], let credentials {
      client = CommerceClient(url: url, credentials: credentials, options: options)
    }
    self.init(client: client, mapping: mapping, pollInterval: configuration[CommerceSettings.pollInterval])
  }

  private static func credentials(
    _ configuration: Configuration, _ problems: inout [String]
  ) -> CommerceCredentials? {
    let key = configuration[CommerceSettings.consumerKey]
    let secrets = (configuration[CommerceSettings.consumerSecret], configuration[CommerceSettings.tokenSecret])
    guard configuration[CommerceSettings.url] != nil else { return nil }
    guard let token = configuration[CommerceSettings.token] else {
      problems.append("COMMERCE_URL is set but COMMERCE_TOKEN is not; set it to the integration's access token")
      return nil
    }
    switch (key, secrets.0, secrets.1) {
    case (nil, nil, nil): return .bearer(token)
    case (let key?, let consumerSecret?, let tokenSecret?):
      return .oauth1(.init(consumerKey: key, consumerSecret: consumerSecret, token: token, tokenSecret: tokenSecret))
    default:
      problems.append(
        "of COMMERCE_CONSUMER_KEY, COMMERCE_CONSUMER_SECRET and COMMERCE_TOKEN_SECRET some are set and some are not; "
          + "set all three to sign requests, or none to send COMMERCE_TOKEN as a Bearer token")
      return nil
    }
  }

  private static func mapping(_ configuration: Configuration, _ problems: inout [String]) -> Mapping {
    guard let path = configuration[CommerceSettings.mappingFile] else { return Mapping() }
    do {
      return try Mapping(parsing: text(of: path))
    } catch let error as MappingError {
      problems += error.problems.map { "COMMERCE_MAPPING_FILE \(path): \($0)" }
    } catch {
      problems.append("COMMERCE_MAPPING_FILE \(path): \(error)")
    }
    return Mapping()
  }

  private static func text(of path: String) throws -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw MappingError(problems: ["can't be opened: \(String(cString: strerror(errno)))"])
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 64 << 10)
    while bytes.count <= Mapping.largestFile {
      let count = read(descriptor, &part, part.count)
      if count == 0 { break }
      guard count > 0 else {
        if errno == EINTR { continue }
        throw MappingError(problems: ["can't be read: \(String(cString: strerror(errno)))"])
      }
      bytes += part.prefix(count)
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw MappingError(problems: ["is not UTF-8"])
    }
    return text
  }
}
