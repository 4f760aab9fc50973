import Glibc

/// Who uses the command line, for the journal.
enum UserName {
  static var current: String {
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 4096)
    guard getpwuid_r(getuid(), &entry, &buffer, buffer.count, &found) == 0, found != nil, let name = entry.pw_name
    else {
      return "user \(getuid())"
    }
    return String(String(cString: name).prefix(100))
  }
}
