import EventStore
import Ledger
import Postgres

/// The connections that one rebuild works on, all of the owner's role.
struct RebuildSessions: Sendable {
  /// Holds the lock that keeps other rebuilds away, makes and drops tables, and stops the live checkpoint for the moment
  /// in which the comparison takes its snapshot.
  let control: Connection
  /// Writes the new generation, and switches to it.
  let writing: Connection
  /// Compares.
  let comparing: Connection
  /// Read the log.
  let readers: Pool

  static func open(_ configuration: ConnectionConfiguration, readers count: Int) async throws -> RebuildSessions {
    var configuration = configuration
    configuration.applicationName = "kauri rebuild"
    configuration.settings = [
      // Of a killed rebuild nothing goes on for long.
      "client_connection_check_interval": "1s",
      "lock_timeout": "10s",
    ]
    var writing = configuration
    // A rebuild that freezes must not keep the head, nor a checkpoint, for longer than a frozen writer would.
    writing.settings["idle_in_transaction_session_timeout"] = "3s"
    writing.settings.merge(InlineTables.sessionSettings) { $1 }
    var control = configuration
    control.settings["idle_in_transaction_session_timeout"] = "5s"
    var comparing = configuration
    comparing.settings["work_mem"] = "256MB"
    return RebuildSessions(
      control: try await Connection.connect(control), writing: try await Connection.connect(writing),
      comparing: try await Connection.connect(comparing),
      readers: Pool(Pool.Configuration(connection: configuration, maximumSize: count)))
  }

  /// All but the one that holds the lock.
  func closeWorking() async {
    await readers.shutdown()
    await writing.close()
    await comparing.close()
  }

  func close() async {
    await closeWorking()
    await control.close()
  }
}
