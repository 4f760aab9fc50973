import HTTP
import Messages

/// A way to the OMS; its raw value is the destination in the journal. Source: messages.md §1, "Sync call", "Async call" and
/// "Broadcast event".
enum BusRoute: String, Sendable, CaseIterable, CustomStringConvertible {
  /// The OMS answers itself, while the connector waits.
  case remote
  /// The bus keeps the message and delivers it later.
  case delegate
  /// To all subscribers.
  case events

  /// - Returns: nil for a number that stands for no way.
  init?(_ route: Omsconnector.Internal.V1.BusRoute) {
    switch route {
    case .remote: self = .remote
    case .delegate: self = .delegate
    case .events: self = .events
    default: return nil
    }
  }

  var description: String { rawValue }

  /// What goes with a message beside what goes with all.
  var headers: HTTPHeaders { self == .events ? ["to": "*"] : [:] }
}

/// Where below OMS_URL the ways begin.
struct BusPaths: Sendable {
  var remote = "/remote/oms"
  var delegate = "/delegate/oms"
  var events = "/events"

  subscript(route: BusRoute) -> String {
    switch route {
    case .remote: remote
    case .delegate: delegate
    case .events: events
    }
  }
}
