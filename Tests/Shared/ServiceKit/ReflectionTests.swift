import Messages
import RPC
import Stubs
import Testing

@testable import ServiceKit

@Suite("Reflection")
struct ReflectionTests {
  private let reflection = Reflection(services: ["omsconnector.v1.InventoryService", "a.B"])

  private func fileNames(_ answer: Reflection.Answer) -> [String]? {
    guard case .files(let files) = answer else { return nil }
    return files.map { bytes in DescriptorPool.files.first { $0.serialized == bytes }?.name ?? "?" }
  }

  @Test("a file comes with everything that it needs, itself first, each once")
  func dependencies() {
    let names = fileNames(reflection.answer(.fileByName("omsconnector/v1/inventory_service.proto")))
    #expect(
      names == [
        "omsconnector/v1/inventory_service.proto", "google/protobuf/timestamp.proto", "omsconnector/v1/stock.proto",
      ])
  }

  @Test(
    "a symbol of any kind leads to its file",
    arguments: [
      "omsconnector.v1.InventoryService", "omsconnector.v1.InventoryService.GetStock",
      "omsconnector.v1.GetStockRequest",
      "omsconnector.v1.GetStockRequest.sku",
    ])
  func symbols(symbol: String) {
    #expect(fileNames(reflection.answer(.fileOfSymbol(symbol)))?.first == "omsconnector/v1/inventory_service.proto")
  }

  @Test(
    "what is not there is an error in the answer, not of the call",
    arguments: [
      Reflection.Question.fileByName("x.proto"), .fileOfSymbol("x.Y"), .extensionOf(type: "omsconnector.v1.Stock"),
      .extensionNumbers(type: "x.Y"),
      // There, but for the services behind a gateway.
      .fileByName("omsconnector/internal/v1/timing_service.proto"),
      .fileOfSymbol("omsconnector.internal.v1.TimingService"),
      .extensionNumbers(type: "omsconnector.internal.v1.GetTimingsResponse"),
    ])
  func notFound(question: Reflection.Question) {
    guard case .error(.notFound, let message) = reflection.answer(question) else {
      Issue.record("\(question) was answered")
      return
    }
    #expect(message.contains("\""))
  }

  @Test("a type without extensions has none")
  func extensions() {
    #expect(
      reflection.answer(.extensionNumbers(type: "omsconnector.v1.Stock"))
        == .extensionNumbers(type: "omsconnector.v1.Stock"))
  }

  @Test("both versions list the server's services, and answer many questions in one call")
  func overSocket() async throws {
    try await withServer({ router in
      HealthService(services: []).register(in: &router)
      ReflectionServices.register(in: &router)
    }) { (channel, _) async throws -> Void in
      let expected = [
        "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
      ]

      let call = try await channel.bidirectional(Grpc.Reflection.V1.ServerReflectionMethods.serverReflectionInfo)
      var answers = call.responses.makeAsyncIterator()
      try await call.requests.send(.init(host: "h", messageRequest: .listServices("")))
      let listed = try await answers.next()
      #expect(listed?.validHost == "h")
      #expect(listed?.originalRequest?.messageRequest == .listServices(""))
      guard case .listServicesResponse(let list) = listed?.messageResponse else {
        Issue.record("no list: \(String(describing: listed))")
        return
      }
      #expect(list.service.map(\.name) == expected)
      try await call.requests.send(.init())
      guard case .errorResponse(let error) = try await answers.next()?.messageResponse else {
        Issue.record("a question without content was answered")
        return
      }
      #expect(error.errorCode == 3)
      await call.requests.finish()
      #expect(try await answers.next() == nil)

      let alpha = try await channel.bidirectional(Grpc.Reflection.V1alpha.ServerReflectionMethods.serverReflectionInfo)
      var alphaAnswers = alpha.responses.makeAsyncIterator()
      try await alpha.requests.send(.init(messageRequest: .fileContainingSymbol("grpc.health.v1.Health")))
      guard case .fileDescriptorResponse(let files) = try await alphaAnswers.next()?.messageResponse else {
        Issue.record("no file")
        return
      }
      #expect(files.fileDescriptorProto.count == 1)
      await alpha.requests.finish()
      #expect(try await alphaAnswers.next() == nil)
    }
  }
}
