import CLibpq
import Glibc

/// A detached thread of the operating system.
enum Thread {
  private final class Start: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
      self.name = name
      self.body = body
    }
  }

  /// - Parameter name: as debuggers and `top -H` show it; the system keeps 15 bytes.
  /// - Throws: `.system` when there is no room for one more thread.
  static func start(_ name: String, _ body: @escaping @Sendable () -> Void) throws(PostgresError) {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
    let start = Unmanaged.passRetained(Start(name: name, body: body))
    var thread = pthread_t()
    let failure = pthread_create(
      &thread, &attributes,
      { argument in
        guard let argument else { return nil }
        let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
        Thread.blockSignals()
        kauri_name_thread(start.name)
        start.body()
        return nil
      }, start.toOpaque())
    if failure != 0 {
      start.release()
      throw PostgresError(.system, "no thread: \(String(cString: strerror(failure)))")
    }
  }

  /// Signals are for the threads that await them: here they would only interrupt waits, and a write to a closed socket
  /// (libpq's `PQcancel` does it) would end the process. Faults of the program stay deliverable, for the backtrace.
  private static func blockSignals() {
    var signals = sigset_t()
    sigfillset(&signals)
    for fault in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT] { sigdelset(&signals, fault) }
    pthread_sigmask(SIG_BLOCK, &signals, nil)
  }
}
