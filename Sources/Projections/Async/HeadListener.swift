import EventStore
public import Logging
public import Postgres

/// Hears from the other servers on the same database that the log has grown.
public struct HeadListener: Sendable {
  private let configuration: ConnectionConfiguration
  private let signal: HeadSignal
  private let logger: Logger

  public init(
    configuration: ConnectionConfiguration, signal: HeadSignal, logger: Logger = Logger(label: "kauri.listener")
  ) {
    var configuration = configuration
    configuration.applicationName = "kauri listener"
    self.configuration = configuration
    self.signal = signal
    self.logger = logger
  }

  /// Listens until the task is cancelled, and connects again whenever the connection is lost. Whatever is missed in
  /// between is found by those who wait, for they look for themselves too.
  public func run() async {
    var backoff = Backoff()
    while !Task.isCancelled {
      do {
        let connection = try await Connection.connect(configuration)
        do {
          for try await notification in connection.notifications(on: [HeadAnnouncer.channel]) {
            backoff.reset()
            if let position = Int64(notification.payload) { signal.advance(to: position) }
          }
        } catch {
          await connection.close()
          throw error
        }
      } catch {
        guard !Task.isCancelled else { return }
        let pause = backoff.next()
        logger.debug("not listening for the log's head", metadata: ["error": "\(error)", "retry_in": "\(pause)"])
        try? await Task.sleep(for: pause)
      }
    }
  }
}

/// Pauses between attempts: doubled from one to the next, and varied, so that many who failed together don't try
/// together.
struct Backoff {
  static let first: Duration = .milliseconds(50)
  static let longest: Duration = .seconds(5)
  private var current = Backoff.first

  mutating func next() -> Duration {
    defer { current = min(current * 2, Backoff.longest) }
    return current * Double.random(in: 0.5...1)
  }

  mutating func reset() { current = Backoff.first }
}
