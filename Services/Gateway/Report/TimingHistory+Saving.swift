import Messages
import ServiceKit

// What of the history goes to the store, and how it comes back.
extension TimingHistory {
  /// What has changed since it was last saved, by endpoint: an hour's histogram and the counters that have gone into it have to
  /// be saved together, or a restart would count calls twice or not at all.
  struct Unsaved: Sendable {
    struct Group: Sendable {
      var hours: Set<Int64> = []
      var counters: [ProcessID: Set<Endpoint>] = [:]

      /// Rows at most.
      var count: Int { hours.count + counters.values.reduce(0) { $0 + $1.count } }
    }

    var groups: [Endpoint: Group] = [:]
    var forgotten: Set<ProcessID> = []

    var isEmpty: Bool { groups.isEmpty && forgotten.isEmpty }

    mutating func add(_ endpoint: Endpoint, hour: Int64, process: ProcessID, counter: Endpoint) {
      groups[endpoint, default: Group()].hours.insert(hour)
      groups[endpoint, default: Group()].counters[process, default: []].insert(counter)
    }

    mutating func forget(_ process: ProcessID) {
      for endpoint in groups.keys { groups[endpoint]?.counters[process] = nil }
      forgotten.insert(process)
    }

    /// Puts back what could not be saved.
    mutating func merge(_ other: Unsaved) {
      for (endpoint, group) in other.groups {
        groups[endpoint, default: Group()].hours.formUnion(group.hours)
        for (process, counters) in group.counters {
          groups[endpoint, default: Group()].counters[process, default: []].formUnion(counters)
        }
      }
      forgotten.formUnion(other.forgotten)
    }
  }

  /// Rows for the store, all for one transaction.
  struct Changes: Sendable {
    struct HourRow: Sendable {
      let hour: Int64
      let endpoint: Endpoint
      let histogram: Omsconnector.Internal.V1.EndpointHistogram
    }

    struct CounterRow: Sendable {
      let process: ProcessID
      let endpoint: Endpoint
      let histogram: Omsconnector.Internal.V1.EndpointHistogram
      let seenAt: WallTime
    }

    var hours: [HourRow] = []
    var counters: [CounterRow] = []
    /// To be deleted before the others are written.
    var forgotten: Set<ProcessID> = []
    /// What to put back when they could not be saved.
    var source = Unsaved()

    var count: Int { hours.count + counters.count + forgotten.count }
  }

  /// What the store has.
  struct Saved: Sendable {
    var hours: [Changes.HourRow] = []
    var counters: [Changes.CounterRow] = []
  }

  /// Takes what has changed for a transaction of about `limit` rows; nil when there is nothing. What can't be saved has to be
  /// put back with ``putBack(_:)``.
  mutating func takeChanges(limit: Int) -> Changes? {
    guard !unsaved.isEmpty else { return nil }
    var changes = Changes()
    changes.forgotten = unsaved.forgotten
    changes.source.forgotten = unsaved.forgotten
    unsaved.forgotten = []
    while changes.count < limit, let (endpoint, group) = unsaved.groups.popFirst() {
      changes.source.groups[endpoint] = group
      // An hour, or a process, may have been dropped since.
      changes.hours += group.hours.compactMap { hour in
        message(endpoint, hour).map { .init(hour: hour, endpoint: endpoint, histogram: $0) }
      }
      for (id, counters) in group.counters {
        guard let process = processes[id] else { continue }
        changes.counters += counters.compactMap { counter in
          process.histograms[counter].map {
            .init(
              process: id, endpoint: counter, histogram: $0.message(kind: counter.kind, endpoint: counter.name),
              seenAt: process.lastSeen)
          }
        }
      }
    }
    return changes
  }

  mutating func putBack(_ changes: Changes) { unsaved.merge(changes.source) }

  private func message(_ endpoint: Endpoint, _ hour: Int64) -> Omsconnector.Internal.V1.EndpointHistogram? {
    if hour == currentHour { return current[endpoint]?.message(kind: endpoint.kind, endpoint: endpoint.name) }
    return past.last { $0.number == hour }?.histograms[endpoint]
  }

  /// Goes on from what the store has.
  ///
  /// - Parameters:
  ///   - ownService: whose processes are not gone on with: what they had counted ended with them. nil when they may go on.
  ///   - mayAge: see ``mayAge``.
  init(limits: Limits = .init(), restoring saved: Saved, ownService: String?, now: WallTime, mayAge: Bool = true) {
    self.init(limits: limits, now: now)
    self.mayAge = mayAge
    var hours: [Int64: Hour] = [:]
    for row in saved.hours {
      if endpoints.count < limits.endpoints { endpoints.insert(row.endpoint) }
      hours[row.hour, default: Hour(number: row.hour, histograms: [:])].histograms[row.endpoint] = row.histogram
    }
    past = hours.values.sorted { $0.number < $1.number }
    takeCurrentHourFromPast()
    dropHours()
    for row in saved.counters {
      var process = processes[row.process] ?? Process(lastSeen: row.seenAt)
      process.lastSeen = max(process.lastSeen, row.seenAt)
      do {
        process.histograms[row.endpoint] = try Histogram(row.histogram)
      } catch {
        Log.error("a counter of timings is counted anew", ["reason": LogValue(error)])
      }
      processes[row.process] = process
    }
    for id in processes.keys where id.service == ownService { forget(id) }
    forgetProcesses()
  }

  /// Takes in what another history has been told while this one could not be had.
  mutating func takeOver(_ other: TimingHistory, now: WallTime) {
    for (id, process) in other.processes {
      let entries = process.histograms.map { Timings.Entry(kind: $0.kind, endpoint: $0.name, histogram: $1) }
      add(service: id.service, instance: id.instance, entries: entries, now: process.lastSeen)
    }
    beginHour(of: now)
    // It has counted these calls already, and what was restored are not this gateway's.
    totals = other.totals
  }
}
