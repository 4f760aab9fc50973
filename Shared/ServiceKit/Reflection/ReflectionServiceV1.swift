import Messages
import RPC
import Stubs

/// `grpc.reflection.v1.ServerReflection`, which buf and newer clients ask.
struct ReflectionServiceV1: Grpc.Reflection.V1.ServerReflection {
  let reflection: Reflection

  func serverReflectionInfo(
    _ requests: RequestStream<Grpc.Reflection.V1.ServerReflectionRequest>,
    responses: ResponseWriter<Grpc.Reflection.V1.ServerReflectionResponse>, context: ServerContext
  ) async throws {
    for try await request in requests {
      try await responses.send(response(to: request))
    }
  }

  private func response(
    to request: Grpc.Reflection.V1.ServerReflectionRequest
  ) -> Grpc.Reflection.V1.ServerReflectionResponse {
    var response = Grpc.Reflection.V1.ServerReflectionResponse()
    response.validHost = request.host
    response.originalRequest = request
    response.messageResponse =
      switch reflection.answer(question(of: request)) {
      case .files(let files):
        .fileDescriptorResponse(.init(fileDescriptorProto: files))
      case .extensionNumbers(let type):
        .allExtensionNumbersResponse(.init(baseTypeName: type))
      case .services(let names):
        .listServicesResponse(.init(service: names.map { .init(name: $0) }))
      case .error(let code, let message):
        .errorResponse(.init(errorCode: Int32(code.rawValue), errorMessage: message))
      }
    return response
  }

  private func question(of request: Grpc.Reflection.V1.ServerReflectionRequest) -> Reflection.Question {
    switch request.messageRequest {
    case .fileByFilename(let name): .fileByName(name)
    case .fileContainingSymbol(let symbol): .fileOfSymbol(symbol)
    case .fileContainingExtension(let request): .extensionOf(type: request.containingType)
    case .allExtensionNumbersOfType(let type): .extensionNumbers(type: type)
    case .listServices: .services
    case nil: .nothing
    }
  }
}
