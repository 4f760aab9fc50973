import Messages
import ServiceKit

/// How long calls took, by service, endpoint and hour, put together from the cumulative histograms of every process.
///
/// What a process has counted since it was last asked goes to the hour in which it is asked now; a process that starts
/// anew has another instance id, so its counters never run backwards. No I/O, no clock: callers pass the time. What has changed
/// since it was last saved is known, see `TimingHistory+Saving.swift`.
struct TimingHistory: Sendable {
  struct Limits: Sendable {
    /// 60 days, as long as the OMS keeps its own history (connector.md §5).
    var hours: Int64 = 60 * 24
    /// Endpoints of one kind and service beyond it are counted together.
    var endpoints = 1000
    /// Processes that are remembered, dead ones included.
    var instances = 1000
    /// Histograms of all these processes together. Some 400 bytes each in the store, 2 kB in memory.
    var counters = 20_000
    /// Histograms in past hours, all together; the oldest hours go first. Some 400 bytes each.
    var histograms = 50_000
  }

  struct Endpoint: Hashable, Sendable, Comparable {
    var service: String
    var kind: Timings.Kind
    var name: String

    static func < (left: Endpoint, right: Endpoint) -> Bool {
      (left.service, left.kind, left.name) < (right.service, right.kind, right.name)
    }
  }

  /// One start of one process.
  struct ProcessID: Hashable, Sendable {
    var service: String
    var instance: String
  }

  struct Process: Sendable {
    /// What it has counted since its start, as it was last told.
    var histograms: [Endpoint: Histogram] = [:]
    var lastSeen: WallTime
  }

  /// A past hour, with its histograms in the form that takes the least room.
  struct Hour: Sendable {
    /// Since 1970.
    let number: Int64
    var histograms: [Endpoint: Omsconnector.Internal.V1.EndpointHistogram]
  }

  let limits: Limits
  var processes: [ProcessID: Process] = [:]
  var endpoints: Set<Endpoint> = []
  /// The oldest first.
  var past: [Hour] = []
  /// Since 1970.
  var currentHour: Int64
  var current: [Endpoint: Histogram] = [:]
  /// Since the gateway's start, whatever processes have come and gone: what only grows.
  var totals: [Endpoint: Histogram] = [:]
  /// What the store does not have yet.
  var unsaved = Unsaved()
  /// Whether hours may go because of their age: the clock is right, as far as anybody knows.
  var mayAge = true
  /// Hours by which a clock may be set back without anything being done about it.
  private static let setBack: Int64 = 3

  init(limits: Limits = .init(), now: WallTime) {
    self.limits = limits
    currentHour = Self.hour(of: now)
  }

  /// Takes in what a process has counted since its start.
  ///
  /// - Parameter instance: unique to this start of this process.
  mutating func add(service: String, instance: String, entries: [Timings.Entry], now: WallTime) {
    beginHour(of: now)
    let id = ProcessID(service: service, instance: instance)
    var process = processes[id] ?? Process(lastSeen: now)
    for entry in entries {
      let endpoint = bounded(Endpoint(service: service, kind: entry.kind, name: Self.name(of: entry)))
      // Several names may be counted as one endpoint, so each is compared under its own.
      let exact = Endpoint(service: service, kind: entry.kind, name: entry.endpoint)
      let before = process.histograms[exact] ?? Histogram()
      // An answer that was overtaken by a newer one says nothing new.
      guard entry.histogram.count > before.count else { continue }
      let news = entry.histogram.subtracting(before)
      current[endpoint, default: Histogram()].merge(news)
      totals[endpoint, default: Histogram()].merge(news)
      process.histograms[exact] = entry.histogram
      unsaved.add(endpoint, hour: currentHour, process: id, counter: exact)
    }
    process.lastSeen = now
    processes[id] = process
    forgetProcesses()
  }

  /// Every endpoint with its hours, the oldest first, in the order of service, kind and name.
  ///
  /// - Parameters:
  ///   - kind: nil for both.
  ///   - since: only hours that end after it; nil for all.
  func hours(kind: Timings.Kind?, since: WallTime?) -> [(endpoint: Endpoint, hours: [(start: WallTime, Histogram)])] {
    var result: [Endpoint: [(start: WallTime, Histogram)]] = [:]
    func add(_ hour: Int64, _ endpoint: Endpoint, _ histogram: @autoclosure () -> Histogram) {
      guard kind == nil || endpoint.kind == kind else { return }
      result[endpoint, default: []].append((WallTime(seconds: hour * 3600), histogram()))
    }
    func counts(_ hour: Int64) -> Bool { since.map { WallTime(seconds: (hour + 1) * 3600) > $0 } ?? true }

    for hour in past where counts(hour.number) {
      for (endpoint, message) in hour.histograms { add(hour.number, endpoint, Self.histogram(message)) }
    }
    if counts(currentHour) {
      for (endpoint, histogram) in current { add(currentHour, endpoint, histogram) }
    }
    // In order already, but for hours that a clock which was set back has left in the future.
    for endpoint in result.keys { result[endpoint]?.sort { $0.start < $1.start } }
    return result.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// Histograms that are kept for past hours.
  var pastHistograms: Int { past.reduce(0) { $0 + $1.histograms.count } }

  /// The earliest hour that is kept; whatever the store has from before it may go.
  var firstHour: Int64 { past.first.map { min($0.number, currentHour) } ?? currentHour }

  /// A clock that was set back a bit goes on in the hour that it was in; one that was far ahead goes back to its hour.
  mutating func beginHour(of now: WallTime) {
    let hour = Self.hour(of: now)
    guard hour > currentHour || hour < currentHour - Self.setBack else { return }
    if !current.isEmpty {
      let histograms = current.map { ($0, $1.message(kind: $0.kind, endpoint: $0.name)) }
      let place = past.firstIndex { $0.number > currentHour } ?? past.endIndex
      past.insert(Hour(number: currentHour, histograms: Dictionary(uniqueKeysWithValues: histograms)), at: place)
    }
    currentHour = hour
    current = [:]
    takeCurrentHourFromPast()
    dropHours()
  }

  /// What the limits leave no room for.
  mutating func dropHours() {
    if mayAge { past.removeAll { $0.number <= currentHour - limits.hours } }
    var histograms = pastHistograms
    while histograms > limits.histograms { histograms -= past.removeFirst().histograms.count }
  }

  /// The hour may have begun before: the gateway, or the clock, has gone back to it.
  mutating func takeCurrentHourFromPast() {
    guard let index = past.firstIndex(where: { $0.number == currentHour }) else { return }
    for (endpoint, message) in past.remove(at: index).histograms {
      current[endpoint, default: Histogram()].merge(Self.histogram(message))
    }
  }

  private mutating func bounded(_ endpoint: Endpoint) -> Endpoint {
    if endpoints.contains(endpoint) { return endpoint }
    guard endpoints.count < limits.endpoints else {
      return Endpoint(service: endpoint.service, kind: endpoint.kind, name: Timings.overflowName)
    }
    endpoints.insert(endpoint)
    return endpoint
  }

  mutating func forgetProcesses() {
    var counters = processes.values.reduce(0) { $0 + $1.histograms.count }
    while processes.count > 1, processes.count > limits.instances || counters > limits.counters,
      let oldest = processes.min(by: { $0.value.lastSeen < $1.value.lastSeen })
    {
      counters -= oldest.value.histograms.count
      forget(oldest.key)
    }
  }

  mutating func forget(_ process: ProcessID) {
    processes[process] = nil
    unsaved.forget(process)
  }

  static func hour(of time: WallTime) -> Int64 { time.seconds / 3600 }

  /// gRPC methods are reported without the slash in front of their path.
  private static func name(of entry: Timings.Entry) -> String {
    entry.kind == .grpcMethod && entry.endpoint.hasPrefix("/") ? String(entry.endpoint.dropFirst()) : entry.endpoint
  }

  /// The message was made here from a histogram, so it is one; if not, that hour is missing from the report and said so.
  private static func histogram(_ message: Omsconnector.Internal.V1.EndpointHistogram) -> Histogram {
    do {
      return try Histogram(message)
    } catch {
      Log.error("an hour of timings is left out of the report", ["reason": LogValue(error)])
      return Histogram()
    }
  }
}
