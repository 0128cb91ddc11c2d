import Commands
import ServiceLifecycle
import Synchronization

/// Whether the server still takes connections. Once it doesn't, it isn't ready, and nobody follows the log any more.
final class ServerLifecycle: Sendable {
  private let stopping = Atomic(false)
  private let feed: HeadFeed

  init(feed: HeadFeed) {
    self.feed = feed
  }

  var isStopping: Bool { stopping.load(ordering: .relaxed) }

  /// Called when the listener has closed, before the open connections have ended: those of followers never would by
  /// themselves.
  func stop() {
    stopping.store(true, ordering: .relaxed)
    feed.stop()
  }
}

/// The last to stop: batch after batch is committed until nobody is left who could give a command, and everybody has
/// been answered.
struct CommandService: Service {
  let handler: CommandHandler

  func run() async throws {
    await withTaskCancellationHandler {
      await withGracefulShutdownHandler {
        await handler.run()
      } onGracefulShutdown: {
        handler.stop()
      }
    } onCancel: {
      handler.stop()
    }
  }
}
