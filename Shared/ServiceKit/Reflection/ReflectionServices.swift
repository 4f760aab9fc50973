import Messages
import RPC
import Stubs

/// Server reflection in both versions, so that buf curl, grpcurl and grpcio need no .proto files.
enum ReflectionServices {
  /// Describes the services that are in the router by then, and itself.
  static func register(in router: inout Router) {
    let own = [
      Grpc.Reflection.V1.ServerReflectionMethods.serviceName,
      Grpc.Reflection.V1alpha.ServerReflectionMethods.serviceName,
    ]
    let reflection = Reflection(services: (router.services + own).sorted())
    ReflectionServiceV1(reflection: reflection).register(in: &router)
    ReflectionServiceV1alpha(reflection: reflection).register(in: &router)
  }
}
