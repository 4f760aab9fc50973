import EventLoop
import Glibc

/// A TCP socket that listens, made here rather than by libmicrohttpd so that errors can say what is wrong.
struct ListeningSocket {
  let descriptor: Int32
  /// With the port that the system chose when it was asked to.
  let address: HTTPAddress

  init(_ address: HTTPAddress, setting: String) throws(HTTPServerError) {
    do throws(TCPSocket.ListenError) {
      let socket = try TCPSocket.listen(host: address.host, port: address.port)
      descriptor = socket.descriptor
      self.address = HTTPAddress(host: address.host, port: socket.port)
    } catch {
      throw Self.error(error, address, setting)
    }
  }

  private static func error(
    _ error: TCPSocket.ListenError, _ address: HTTPAddress, _ setting: String
  ) -> HTTPServerError {
    switch error {
    case .unknownHost(let error): .unknownHost(address, setting: setting, reason: error.reason)
    case .system(let error):
      switch error.number {
      case EADDRINUSE: .addressInUse(address, setting: setting)
      case EACCES: .permissionDenied(address, setting: setting)
      case EADDRNOTAVAIL: .unknownHost(address, setting: setting, reason: error.reason)
      default: .cannotListen(address, setting: setting, reason: error.reason)
      }
    }
  }
}
