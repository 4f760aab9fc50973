import Glibc
import RPC

/// Who calls, as somebody other than the caller vouches for it: for the journal, which is to say who did what.
struct Caller: Equatable {
  /// nil when nobody does: everybody is let in (GATEWAY_INSECURE).
  let name: String?

  init(name: String?) { self.name = name }

  /// The owner of the token, the user of the process on this machine, or the name in the certificate.
  init(_ context: ServerContext) {
    switch context.peer.kind {
    case _ where context.authenticatedName != nil: name = context.authenticatedName
    case .unix(let uid, _, _): name = Self.userName(uid)
    case .tcp: name = context.peer.identity.first
    }
  }

  /// What is kept: who it is, and who they say that they are where that is something else, as for a program that several people
  /// use.
  ///
  /// - Parameter claimed: empty when they don't say.
  func audited(as claimed: String) -> String {
    guard let name else { return claimed.isEmpty ? "" : "\(claimed) (unverified)" }
    return claimed.isEmpty || claimed == name ? name : "\(name) (as \(claimed))"
  }

  /// Of the system's users; `user 1000` where there is no such entry, as in a container.
  private static func userName(_ uid: UInt32) -> String {
    var (entry, found) = (passwd(), UnsafeMutablePointer<passwd>?.none)
    var texts = [CChar](repeating: 0, count: 4_096)
    guard getpwuid_r(uid, &entry, &texts, texts.count, &found) == 0, let name = found?.pointee.pw_name else {
      return "user \(uid)"
    }
    return String(cString: name)
  }
}
