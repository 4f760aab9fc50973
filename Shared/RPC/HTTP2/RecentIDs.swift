/// Streams that we have reset a moment ago: what the peer had sent before it knew is no fault (RFC 9113 §5.1).
struct RecentIDs {
  private var ids: [Int32] = []
  private var next = 0
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  mutating func insert(_ id: Int32) {
    if ids.count < limit {
      ids.append(id)
    } else {
      ids[next] = id
      next = (next + 1) % limit
    }
  }

  func contains(_ id: Int32) -> Bool { ids.contains(id) }
}
