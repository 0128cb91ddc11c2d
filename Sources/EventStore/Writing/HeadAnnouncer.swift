public import Logging
public import Postgres

/// Tells whoever listens on the channel `kauri_head` that the log has grown.
///
/// Sent from a connection of its own, and coalesced: inside the writer's transaction a NOTIFY would cost a quarter of
/// the rate. Losing one loses nothing, for listeners read the log by position and look for themselves every so often.
public struct HeadAnnouncer: Sendable {
  public static let channel = "kauri_head"

  private let configuration: ConnectionConfiguration
  private let logger: Logger
  private let positions: AsyncStream<Int64>
  private let continuation: AsyncStream<Int64>.Continuation

  public init(configuration: ConnectionConfiguration, logger: Logger = Logger(label: "kauri.announcer")) {
    var configuration = configuration
    configuration.applicationName = "kauri announcer"
    configuration.queryTimeout = .seconds(5)
    self.configuration = configuration
    self.logger = logger
    (positions, continuation) = AsyncStream.makeStream(of: Int64.self, bufferingPolicy: .bufferingNewest(1))
  }

  /// Notes that the log reaches to `position`; returns at once.
  public func announce(_ position: Int64) {
    continuation.yield(position)
  }

  /// Sends announcements until the task is cancelled or `stop` is called.
  public func run() async {
    var connection: Connection?
    for await position in positions {
      do {
        let current: Connection
        if let connection, await !connection.isBroken {
          current = connection
        } else {
          current = try await Connection.connect(configuration)
          connection = current
        }
        _ = try await current.execute(
          "select pg_notify($1, $2)", [.text(HeadAnnouncer.channel), .text(String(position))])
      } catch {
        connection = nil
        logger.debug("could not announce the log's head", metadata: ["error": "\(error)"])
      }
    }
    await connection?.close()
  }

  public func stop() {
    continuation.finish()
  }
}
