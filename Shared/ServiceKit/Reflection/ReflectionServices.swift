import Messages
import RPC
import Stubs

/// Server reflection in both versions, so that buf curl, grpcurl and grpcio need no .proto files.
enum ReflectionServices {
  /// Describes the services that are in the router by then, and itself.
  static func register(in router: inout Router, showsInternal: Bool = true) {
    let shown = router.services.filter { showsInternal || !$0.hasPrefix("omsconnector.internal.") }
    let own = [
      Grpc.Reflection.V1.ServerReflectionMethods.serviceName,
      Grpc.Reflection.V1alpha.ServerReflectionMethods.serviceName,
    ]
    let reflection = Reflection(services: (shown + own).sorted())
    ReflectionServiceV1(reflection: reflection).register(in: &router)
    ReflectionServiceV1alpha(reflection: reflection).register(in: &router)
  }
}
