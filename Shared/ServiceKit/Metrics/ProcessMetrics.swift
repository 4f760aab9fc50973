import Glibc

/// The process as the system sees it; names as Prometheus's own clients have them.
///
/// Source: <https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>.
public enum ProcessMetrics {
  /// Writes all metrics; what the system does not tell is left out.
  public static func write(to text: inout Exposition) {
    gauge("process_resident_memory_bytes", "Resident memory size in bytes", residentBytes(), &text)
    gauge("process_open_fds", "Number of open file descriptors", openDescriptors(), &text)
    var limit = rlimit()
    if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
      gauge("process_max_fds", "Maximum number of open file descriptors", Double(limit.rlim_cur), &text)
    }
    text.begin("process_cpu_seconds_total", .counter, "Total user and system CPU time spent in seconds")
    text.sample("process_cpu_seconds_total", [:], seconds(CLOCK_PROCESS_CPUTIME_ID))
    gauge(
      "process_start_time_seconds", "Start time of the process since the Unix epoch in seconds", startTime, &text)
  }

  private static func gauge(_ name: String, _ help: String, _ value: Double?, _ text: inout Exposition) {
    guard let value else { return }
    text.begin(name, .gauge, help)
    text.sample(name, [:], value)
  }

  private static func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// The second number of `/proc/self/statm`, which counts pages.
  private static func residentBytes() -> Double? {
    guard let fields = read("/proc/self/statm")?.split(separator: " "), fields.count > 1, let pages = Double(fields[1])
    else { return nil }
    return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
  }

  private static func openDescriptors() -> Double? {
    guard let directory = opendir("/proc/self/fd") else { return nil }
    defer { closedir(directory) }
    var count = 0
    while let entry = readdir(directory) {
      if entry.pointee.d_name.0 != CChar(UInt8(ascii: ".")) { count += 1 }
    }
    // Without the one that this took.
    return Double(count - 1)
  }

  /// Once: it stays the same, also when somebody sets the clock.
  private static let startTime: Double? = {
    // The name, the second field, is in brackets and may have spaces and brackets in it; the 22nd is the start, in ticks
    // since the machine has started.
    guard let stat = read("/proc/self/stat"), let end = stat.lastIndex(of: ")") else { return nil }
    let fields = stat[end...].split(separator: " ")
    guard fields.count > 20, let ticks = Double(fields[20]) else { return nil }
    let age = seconds(CLOCK_BOOTTIME) - ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    return seconds(CLOCK_REALTIME) - age
  }()

  /// A file of /proc, as far as a kilobyte: what is asked for is at its beginning.
  private static func read(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1024) { buffer in
      let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      guard count > 0 else { return nil }
      return String(decoding: buffer[..<count], as: UTF8.self)
    }
  }
}
