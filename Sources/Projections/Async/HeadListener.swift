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
