import Glibc
import Postgres
import Synchronization
import Testing

@Suite struct ThreadExecutorTests {
  private actor Worker {
    private let executor: ThreadExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    private(set) var count = 0

    init() throws { executor = try ThreadExecutor(name: "worker") }

    func work() -> pthread_t {
      count += 1
      return pthread_self()
    }

    nonisolated func countWithoutHopping() -> Int { assumeIsolated { $0.count } }
    func readsItself() -> Int { countWithoutHopping() }

    func block(_ gate: borrowing Mutex<Bool>) { while !gate.withLock({ $0 }) { usleep(1000) } }
  }

  @Test func everyJobRunsOnOneThread() async throws {
    let worker = try Worker()
    let threads = await withTaskGroup(of: pthread_t.self) { group in
      for _ in 0..<1000 { group.addTask { await worker.work() } }
      return await group.reduce(into: Set<pthread_t>()) { $0.insert($1) }
    }
    #expect(threads.count == 1)
    #expect(!threads.contains(pthread_self()))
    #expect(await worker.count == 1000)
    #expect(await worker.readsItself() == 1000)
  }

  /// As many blocked threads as there are executors; the pool's own would have run out long before.
  @Test func blockingTakesNothingFromThePool() async throws {
    let gate = Gate()
    let workers = try (0..<32).map { _ in try Worker() }
    await withTaskGroup(of: Void.self) { group in
      for worker in workers { group.addTask { await worker.block(gate.isOpen) } }
      for _ in 0..<100 { await Task.yield() }
      gate.isOpen.withLock { $0 = true }
    }
  }

  private final class Gate: Sendable { let isOpen = Mutex(false) }

  @Test func theThreadEndsWithItsExecutor() async throws {
    let before = threads()
    for _ in 0..<50 { _ = try await Worker().work() }
    try await eventually { threads() <= before + 8 }
  }

  /// The actor is released by its own last job, often before the thread that enqueued it has returned from doing so.
  @Test func anExecutorMayGoWithItsLastJob() async throws {
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<500 {
        group.addTask {
          let worker = try? Worker()
          _ = await worker?.work()
        }
      }
    }
  }

  private func threads() -> Int {
    var count = 0
    guard let directory = opendir("/proc/self/task") else { return 0 }
    defer { closedir(directory) }
    while readdir(directory) != nil { count += 1 }
    return count
  }
}
