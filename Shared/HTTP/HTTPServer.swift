import CMicroHTTPD
import EventLoop
import Glibc

/// An HTTP/1.0 and 1.1 server on libmicrohttpd: one thread moves the bytes of all connections, handlers are tasks. They may wait,
/// but must not block: those of short requests run on that thread.
///
/// A handler sees a request once it is there whole. Call `shutdown` before letting go of the server.
public final class HTTPServer: Sendable {
  /// Answers one request, in a task of its own; cancelled when the server stops for good.
  public typealias Handler = @Sendable (HTTPRequest) async -> HTTPResponse

  /// With the port that was chosen when the one asked for was 0.
  public let address: HTTPAddress
  private let core: ServerCore
  private let isShutDown = Lock(false)

  /// Listens and serves.
  ///
  /// - Parameter setting: the configuration variable that `address` comes from, for error messages.
  public init(
    listeningOn address: HTTPAddress, setting: String, options: HTTPServerOptions = .init(),
    handler: @escaping Handler
  ) throws(HTTPServerError) {
    let loop: ServerLoop
    do throws(SystemError) { loop = try ServerLoop() } catch {
      throw .cannotListen(address, setting: setting, reason: error.reason)
    }
    let socket = try ListeningSocket(address, setting: setting)
    self.address = socket.address
    core = ServerCore(options: options, loop: loop, handler: handler)
    do throws(SystemError) { try Self.start(core, on: socket.descriptor) } catch {
      throw .cannotListen(address, setting: setting, reason: error.reason)
    }
  }

  /// Accepts no more connections, waits until all requests are answered, at most for `grace`, then closes everything.
  /// Handlers that are still at work then are cancelled and their clients get 503.
  public func shutdown(grace: Duration) async {
    let isFirst = isShutDown.withLock { isShutDown in
      defer { isShutDown = true }
      return !isShutDown
    }
    guard isFirst else { return }
    core.drain()
    core.loop.quiesce()
    let deadline = Task { [core] in
      // Cancelled when the requests have ended by themselves.
      guard (try? await Task.sleep(for: grace)) != nil else { return }
      core.abandonRequests()
    }
    await core.untilIdle()
    deadline.cancel()
    await deadline.value
    await core.loop.stop()
  }

  /// - Parameter listener: the daemon's from now on, also after an error.
  private static func start(_ core: ServerCore, on listener: Int32) throws(SystemError) {
    guard let daemon = daemon(listener, core.options, Unmanaged.passUnretained(core).toOpaque()) else {
      let error = SystemError("MHD_start_daemon")
      close(listener)
      throw error
    }
    do throws(SystemError) {
      try core.loop.start(daemon, context: core)
    } catch {
      MHD_stop_daemon(daemon)
      throw error
    }
  }

  private static func daemon(
    _ listener: Int32, _ options: HTTPServerOptions, _ context: UnsafeMutableRawPointer
  ) -> OpaquePointer? {
    // Room beyond maxConnections, so that a newcomer gets in while the one that makes room for it is being closed.
    let connections = options.maxConnections + 16
    let idleSeconds = max(1, Int(options.idleTimeout.components.seconds))
    var items = [
      MHD_OptionItem(option: .LISTEN_SOCKET, value: Int(listener), ptr_value: nil),
      MHD_OptionItem(option: .CONNECTION_LIMIT, value: connections, ptr_value: nil),
      MHD_OptionItem(option: .CONNECTION_TIMEOUT, value: idleSeconds, ptr_value: nil),
      MHD_OptionItem(option: .CONNECTION_MEMORY_LIMIT, value: options.maxHeaderBytes, ptr_value: nil),
      MHD_OptionItem(
        option: .NOTIFY_COMPLETED, value: mhd_option_completed(requestCompleted), ptr_value: context),
      MHD_OptionItem(
        option: .NOTIFY_CONNECTION, value: mhd_option_connection(connectionChanged), ptr_value: context),
      MHD_OptionItem(option: .END, value: 0, ptr_value: nil),
    ]
    return mhd_start(mhd_flags, requestArrives, context, &items)
  }
}

// What libmicrohttpd calls, on its thread. The context is the `ServerCore`; a request's slot holds the
// `IncomingRequest`.

private let requestArrives: MHD_AccessHandlerCallback = { context, connection, url, method, _, bytes, count, slot in
  guard let context, let connection, let url, let method, let count, let slot else { return .NO }
  guard let pointer = slot.pointee else {
    let core = Unmanaged<ServerCore>.fromOpaque(context).takeUnretainedValue()
    let request = IncomingRequest(
      core: core, connection: connection, method: String(cString: method), target: String(cString: url))
    slot.pointee = Unmanaged.passRetained(request).toOpaque()
    return request.begin()
  }
  let request = Unmanaged<IncomingRequest>.fromOpaque(pointer).takeUnretainedValue()
  guard count.pointee > 0 else { return request.proceed() }
  defer { count.pointee = 0 }
  return request.receive(UnsafeRawBufferPointer(start: bytes, count: count.pointee))
}

private let requestCompleted: MHD_RequestCompletedCallback = { _, _, slot, _ in
  guard let slot, let pointer = slot.pointee else { return }
  slot.pointee = nil
  Unmanaged<IncomingRequest>.fromOpaque(pointer).takeRetainedValue().end()
}

private let connectionChanged: MHD_NotifyConnectionCallback = { context, connection, _, event in
  guard let context, let connection else { return }
  let core = Unmanaged<ServerCore>.fromOpaque(context).takeUnretainedValue()
  if event == .CONNECTION_NOTIFY_STARTED {
    core.connectionOpened(connection)
  } else {
    core.connectionClosed(connection)
  }
}
