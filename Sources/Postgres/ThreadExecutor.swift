import Glibc

/// A serial executor that owns one thread of the operating system. An actor that runs on it may block (in libpq, in
/// fsync) without taking a thread from Swift's cooperative pool.
///
/// ```swift
/// actor Writer {
///   private let executor: ThreadExecutor
///   nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
/// }
/// ```
///
/// The thread ends when the executor is released; every job that was enqueued has run by then.
public final class ThreadExecutor: SerialExecutor {
  private let queue: JobQueue

  /// - Parameter name: the thread's name in debuggers, of which the system keeps 15 bytes.
  /// - Throws: `.system` when the system gives no thread.
  public convenience init(name: String) throws(PostgresError) {
    try self.init(name: name, whenEnqueued: nil)
  }

  /// - Parameter whenEnqueued: called as each job is queued, on the thread that queues it.
  init(name: String, whenEnqueued: (@Sendable () -> Void)?) throws(PostgresError) {
    queue = JobQueue(whenEnqueued: whenEnqueued)
    try Thread.start(name) { [queue] in queue.runUntilStopped() }
  }

  deinit { queue.stop() }

  public func enqueue(_ job: consuming ExecutorJob) {
    // Nothing of this object may be touched afterwards: the job may have run by then and released the executor, which
    // the runtime doesn't hold while it enqueues.
    queue.append(JobQueue.Item(job: UnownedJob(job), executor: self))
  }

  /// Jobs that haven't begun.
  var waitingJobs: Int { queue.waitingJobs }

  /// Whether the caller is on this executor's thread.
  public func isIsolatingCurrentContext() -> Bool? { queue.isCurrentThread }

  public func checkIsolated() {
    precondition(queue.isCurrentThread, "not on the executor's thread")
  }
}

/// Jobs on their way to a thread.
///
/// `@unchecked`: `items`, `taken`, `thread` and `isStopped` are touched only under `mutex`.
private final class JobQueue: @unchecked Sendable {
  /// A job keeps its executor alive until it has run, so the executor can't be released with work left.
  struct Item {
    let job: UnownedJob
    let executor: ThreadExecutor
  }

  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private let whenEnqueued: (@Sendable () -> Void)?
  private var items: [Item] = []
  /// Jobs that the thread has taken out of `items` and not begun.
  private var taken = 0
  private var thread: pthread_t?
  private var isStopped = false

  init(whenEnqueued: (@Sendable () -> Void)?) {
    self.whenEnqueued = whenEnqueued
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  func append(_ item: Item) {
    locked {
      items.append(item)
      pthread_cond_signal(condition)
      whenEnqueued?()
    }
  }

  func stop() {
    locked {
      isStopped = true
      pthread_cond_signal(condition)
    }
  }

  var waitingJobs: Int { locked { taken + items.count } }

  var isCurrentThread: Bool {
    locked { thread.map { pthread_equal($0, pthread_self()) != 0 } ?? false }
  }

  func runUntilStopped() {
    locked { thread = pthread_self() }
    var batch: [Item] = []
    while true {
      locked {
        while items.isEmpty && !isStopped { pthread_cond_wait(condition, mutex) }
        swap(&items, &batch)
        taken = batch.count
      }
      if batch.isEmpty { return }
      for item in batch {
        locked { taken -= 1 }
        item.job.runSynchronously(on: item.executor.asUnownedSerialExecutor())
      }
      batch.removeAll(keepingCapacity: true)
    }
  }

  private func locked<Value>(_ body: () -> Value) -> Value {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body()
  }
}
