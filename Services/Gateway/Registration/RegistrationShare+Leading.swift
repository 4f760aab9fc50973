import ServiceKit

extension RegistrationShare {
  /// Between two looks at what the gateway that sees to the registration says of it, and what somebody wants of it.
  private static let followInterval = Duration.seconds(1)

  /// Lets a registrar know what another gateway does, until the task is cancelled.
  func follow(_ registrar: Registrar) async {
    var lastError = ""
    while !Task.isCancelled {
      do {
        await registrar.follow(try await load())
        lastError = ""
      } catch {
        let text = "\(error)"
        if text != lastError { Log.warning("the registration can't be seen", ["reason": LogValue(error)]) }
        lastError = text
      }
      // A cancelled sleep ends the loop.
      _ = try? await Task.sleep(for: Self.followInterval)
    }
  }

  /// Sees to the registration for all gateways, until the task is cancelled.
  ///
  /// - Parameter watcher: nil without an OMS.
  func lead(_ registrar: Registrar, _ watcher: TopicWatcher?) async {
    guard let shared = await loaded() else { return }
    Log.info("sees to the registration")
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await registrar.lead(shared.kept) }
      group.addTask { await serve(registrar) }
      if let watcher {
        group.addTask {
          do {
            try await watcher.run(kept: shared.topics) { await registrar.subscribe(to: $0) }
          } catch {
            // It works until it is cancelled.
          }
        }
      }
    }
  }

  /// - Returns: nil when the task is cancelled.
  private func loaded() async -> SharedRegistration? {
    while !Task.isCancelled {
      do {
        return try await load()
      } catch {
        Log.warning("the registration can't be seen", ["reason": LogValue(error)])
      }
      // A cancelled sleep ends the loop.
      _ = try? await Task.sleep(for: Self.followInterval)
    }
    return nil
  }
}
