import EventLoop
import Testing

@Suite struct EventLoopTests {
  @Test("async code that starts on a loop stays there, across suspension, sleep and child tasks")
  func staysOnLoop() async throws {
    let group = try EventLoopGroup(loops: 2)
    defer { group.stop() }
    let loop = group.loops[1]
    let places = await Task(executorPreference: loop) {
      var places = [loop.isCurrent]
      await Task.yield()
      places.append(loop.isCurrent)
      await loop.sleep(for: .milliseconds(2))
      places.append(loop.isCurrent)
      async let child = loop.isCurrent
      places.append(await child)
      return places
    }.value
    #expect(places == [true, true, true, true])
  }

  @Test("a task of elsewhere that an actor brings to a loop's thread is not taken for one of the loop")
  func tasksOfElsewhere() async throws {
    let group = try EventLoopGroup(loops: 1)
    defer { group.stop() }
    let loop = group.loops[0]
    let host = Host()
    for _ in 0..<100 {
      let stayed = await Task(executorPreference: loop) {
        await host.run {
          await loop.perform {
            await Task.yield()
            return loop.isCurrent
          }
        }
      }.value
      #expect(await stayed.value)
    }
  }

  /// A default actor: it runs where the task that calls it runs, and so do the tasks that wait for it then.
  private actor Host {
    private var runs = 0

    func run(_ body: @escaping @Sendable () async -> Bool) -> Task<Bool, Never> {
      Task {
        runs += 1
        return await body()
      }
    }
  }

  @Test("work handed over from other threads runs on the loop, all of it, in each thread's order")
  func executeFromOtherThreads() async throws {
    let group = try EventLoopGroup(loops: 1)
    defer { group.stop() }
    let loop = group.loops[0]
    let seen = Seen()
    await withTaskGroup(of: Void.self) { tasks in
      for thread in 0..<4 {
        tasks.addTask {
          for index in 0..<1000 {
            loop.execute {
              #expect(loop.isCurrent)
              seen.order.withLock { $0[thread, default: []].append(index) }
            }
          }
        }
      }
    }
    await Task(executorPreference: loop) {}.value
    #expect(seen.order.withLock { $0 } == Dictionary(uniqueKeysWithValues: (0..<4).map { ($0, Array(0..<1000)) }))
  }

  @Test("a cancelled sleep ends early")
  func cancelledSleep() async throws {
    let group = try EventLoopGroup(loops: 1)
    defer { group.stop() }
    let loop = group.loops[0]
    let sleeper = Task(executorPreference: loop) { await loop.sleep(for: .seconds(3600)) }
    sleeper.cancel()
    await sleeper.value
  }

  @Test("code that keeps yielding does not keep the loop from other threads' work")
  func noStarvation() async throws {
    let group = try EventLoopGroup(loops: 1)
    defer { group.stop() }
    let loop = group.loops[0]
    let isDone = Flag()
    let spinner = Task(executorPreference: loop) {
      while !isDone.value.withLock({ $0 }) { await Task.yield() }
    }
    loop.execute { isDone.value.withLock { $0 = true } }
    await spinner.value
  }

  @Test("threads may end before whoever started them goes on")
  func shortThreads() async throws {
    for _ in 0..<500 {
      await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
        do {
          try spawnThread(named: "short") { continuation.resume() }
        } catch {
          Issue.record("\(error)")
          continuation.resume()
        }
      }
    }
  }
}

private final class Seen: Sendable { let order = Lock<[Int: [Int]]>([:]) }
private final class Flag: Sendable { let value = Lock(false) }
