import Glibc
import RPC

/// Settings that every executable has.
public enum CommonSettings {
  public static let stateDirectory = Setting.directory(
    "STATE_DIR", "directory of sockets and data", default: ".run")
  static let logLevel = Setting.logLevel(
    "LOG_LEVEL", "least level of log lines that are written", default: "info")
  /// Two at most unless set: a loop serves some 200 000 calls a second, and each costs memory.
  public static let loops = Setting.integer(
    "LOOPS", 1...64, "event loops (threads) that serve calls; the default is the cores, 2 at most",
    default: String(max(1, min(2, sysconf(Int32(_SC_NPROCESSORS_ONLN))))))

  static let listenName = "LISTEN"

  /// Where a service serves: one address at least.
  public static func listen(default text: String) -> Setting<[Address]> {
    .addresses(listenName, "where it serves", default: text)
  }
}
