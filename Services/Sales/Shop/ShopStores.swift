import Commerce
import EventLoop
import Messages

/// The shop's websites and store views, read when they are needed and kept for a while: they change when the merchant opens a
/// market.
actor ShopStores {
  /// How long what was read is good.
  static let age = Duration.seconds(600)
  /// How soon an id that is not among them makes it read again.
  static let agePerStranger = Duration.seconds(30)

  private let read: @Sendable () async throws -> [Int64: ShopView]
  private var views: [Int64: ShopView] = [:]
  private var readAt: UInt64?

  /// - Parameter read: all views, by their ids.
  init(_ read: @escaping @Sendable () async throws -> [Int64: ShopView]) { self.read = read }

  /// - Parameter client: nil when there is no shop to ask.
  init(_ client: CommerceClient?) {
    self.init {
      guard let client else { throw ExportHold.noShop }
      return try await Self.read(client)
    }
  }

  /// nil when the shop has no such store view.
  ///
  /// - Throws: `CommerceError`; ``ExportHold/noShop`` without a shop.
  func view(_ id: Int64) async throws -> ShopView? {
    if let view = views[id], isYounger(than: Self.age) { return view }
    guard views[id] != nil || !isYounger(than: Self.agePerStranger) else { return nil }
    views = try await read()
    readAt = EventLoop.monotonicNanoseconds()
    return views[id]
  }

  private func isYounger(than age: Duration) -> Bool {
    guard let readAt else { return false }
    return EventLoop.monotonicNanoseconds() - readAt < age.nanoseconds
  }

  private static func read(_ client: CommerceClient) async throws -> [Int64: ShopView] {
    let setUp = try await ShopSetUp.read(client)
    let codes = Dictionary(setUp.websites.map { ($0.id, $0.code) }) { _, last in last }
    let locales = Dictionary(setUp.configs.map { ($0.id, $0.locale) }) { _, last in last }
    return Dictionary(
      setUp.views.map {
        (
          $0.id,
          ShopView(
            websiteCode: codes[$0.websiteId] ?? "", storeViewCode: $0.code, locale: locales[$0.id] ?? "en_US")
        )
      }
    ) { _, last in last }
  }
}
