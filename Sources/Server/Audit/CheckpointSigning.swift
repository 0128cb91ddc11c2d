import EventStore
import Logging
import Postgres
import Projections
import ServiceLifecycle

/// Signs checkpoints, for as long as this server is the one that does: half a second after there is news, and at once
/// when another server says that somebody waits.
struct CheckpointSigning: Service {
  let desk: CheckpointDesk
  let signal: HeadSignal
  /// Where the database is, for a connection that listens.
  let configuration: ConnectionConfiguration
  let logger: Logger

  func run() async throws {
    await cancelWhenGracefulShutdown {
      await withDiscardingTaskGroup { group in
        group.addTask { await sign() }
        group.addTask { await listen() }
      }
    }
    await desk.release()
  }

  private func sign() async {
    while !Task.isCancelled {
      do {
        guard try await desk.takeLease() else {
          try await Task.sleep(for: desk.options.lease / 4)
          continue
        }
        guard let newest = try await desk.sign() else {
          try await Task.sleep(for: desk.options.interval)
          continue
        }
        // Woken without news too, to keep the lease.
        await signal.wait(beyond: newest.size, for: desk.options.lease / 4)
        try await Task.sleep(for: desk.options.interval)
      } catch {
        guard !Task.isCancelled else { return }
        let isBroken = error is BrokenTree || error is TileFault || error is SealingFault
        logger.log(
          level: isBroken ? .critical : .warning, "the log's head can't be signed", metadata: ["error": "\(error)"])
        try? await Task.sleep(for: .seconds(1))
      }
    }
  }

  private func listen() async {
    var configuration = configuration
    configuration.applicationName = "kauri signer"
    while !Task.isCancelled {
      do {
        let connection = try await Connection.connect(configuration)
        do {
          for try await _ in connection.notifications(on: [CheckpointDesk.channel]) { _ = try await desk.sign() }
        } catch {
          await connection.close()
          throw error
        }
      } catch {
        guard !Task.isCancelled else { return }
        logger.debug("not listening for who wants a checkpoint", metadata: ["error": "\(error)"])
        try? await Task.sleep(for: .seconds(1))
      }
    }
  }
}
