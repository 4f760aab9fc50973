import Messages
import RPC

typealias Echo = Omsconnector.V1.GetStockRequest

/// The calls of all kinds that peers attack, and how many of them are under way.
final class FuzzService: @unchecked Sendable {
  // Sendable by the loop: handlers count on it only, and the fuzzer looks between its turns on the same thread.
  private(set) var underWay = 0

  static let unary = MethodDescriptor<Echo, Echo>(service: "fuzz.Echo", method: "Unary", type: .unary)
  static let repeatable = MethodDescriptor<Echo, Echo>(
    service: "fuzz.Echo", method: "Repeatable", type: .unary, idempotency: .idempotent)
  static let synchronous = MethodDescriptor<Echo, Echo>(service: "fuzz.Echo", method: "Synchronous", type: .unary)
  static let upload = MethodDescriptor<Echo, Echo>(service: "fuzz.Echo", method: "Upload", type: .clientStreaming)
  static let download = MethodDescriptor<Echo, Echo>(service: "fuzz.Echo", method: "Download", type: .serverStreaming)
  static let chat = MethodDescriptor<Echo, Echo>(service: "fuzz.Echo", method: "Chat", type: .bidirectional)
  static let failing = MethodDescriptor<Echo, Echo>(service: "fuzz.Echo", method: "Failing", type: .unary)

  static let paths = [
    unary.path, synchronous.path, upload.path, download.path, chat.path, failing.path, "/fuzz.Echo/Bytes",
    "/fuzz.Echo/No",
  ]

  func router() -> Router {
    var router = Router()
    router.synchronous(Self.synchronous) { request, _ in request }
    router.unary(Self.unary) { request, context in
      await self.counted {
        await Task.yield()
        return request
      }
    }
    router.unaryBytes(service: "fuzz.Echo", method: "Bytes") { bytes, _ in bytes }
    router.clientStreaming(Self.upload) { requests, _ in
      try await self.counted {
        var last = Echo()
        for try await request in requests { last = request }
        return last
      }
    }
    router.serverStreaming(Self.download) { request, responses, _ in
      try await self.counted {
        for index in 0..<4 {
          // More than a stream lets wait, so that windows matter.
          try await responses.send(Echo(sku: String(repeating: "a", count: index * 50_000)))
        }
      }
    }
    router.bidirectional(Self.chat) { requests, responses, _ in
      try await self.counted { for try await request in requests { try await responses.send(request) } }
    }
    router.unary(Self.failing) { request, _ -> Echo in
      throw RPCError(.resourceExhausted, request.sku, details: [.retryInfo(.seconds(1))], metadata: ["x": "y"])
    }
    return router
  }

  private func counted<Result>(_ body: () async throws -> Result) async rethrows -> Result {
    underWay += 1
    defer { underWay -= 1 }
    return try await body()
  }
}
