import Messages
import RPC
import Stubs
import Testing

@testable import ServiceKit

@Suite("MessageConsumer")
struct MessageConsumerTests {
  private typealias Methods = Omsconnector.Internal.V1.MessageConsumerServiceMethods

  @Test("a service without methods lists none, and consumes nothing")
  func empty() async throws {
    let timings = Timings()
    let consumer = MessageConsumer(service: "catalog", methods: [], timings: timings)
    try await withServer({ consumer.register(in: &$0) }) { (channel, _) async throws -> Void in
      #expect(try await channel.unary(Methods.listMethods, .init()).methods.isEmpty)
      let error = await #expect(throws: RPCError.self) {
        _ = try await channel.unary(Methods.consume, .init(deliveryId: "1", method: "a.b"))
      }
      #expect(error?.code == .unimplemented)
      #expect(error?.message == "catalog does not consume \"a.b\"; it consumes no method yet")
      #expect(timings.entries().isEmpty)
    }
  }
}
