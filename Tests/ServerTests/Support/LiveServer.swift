import Hummingbird
import NIOCore
import NIOPosix
import Server
import ServiceLifecycle
import Testing

/// A server on a port of its own, for what only a real connection shows.
struct LiveServer: Sendable {
  let port: Int
  private let group: ServiceGroup

  /// Runs a test against the server, then stops it gracefully and waits until it has.
  static func run(
    _ bank: TestBank, address: BindAddress = .hostname("127.0.0.1", port: 0),
    _ body: @escaping @Sendable (LiveServer) async throws -> Void
  ) async throws {
    let (ports, announce) = AsyncStream.makeStream(of: Int.self)
    let application = buildApplication(bank.parts, address: address) { announce.yield($0) }
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(services: [application], logger: bank.parts.logger))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      var iterator = ports.makeAsyncIterator()
      let port = try #require(await iterator.next())
      do {
        try await body(LiveServer(port: port, group: group))
      } catch {
        await group.triggerGracefulShutdown()
        throw error
      }
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
  }

  func stop() async { await group.triggerGracefulShutdown() }

  /// Talks to the server byte by byte.
  func talk(_ body: (inout Conversation) async throws -> Void) async throws {
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .connect(host: "127.0.0.1", port: port) { channel in
        channel.eventLoop.makeCompletedFuture {
          try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
        }
      }
    var isOver = false
    do {
      try await channel.executeThenClose { inbound, outbound in
        var conversation = Conversation(inbound: inbound.makeAsyncIterator(), outbound: outbound)
        try await body(&conversation)
        isOver = true
      }
    } catch is ChannelError where isOver {
      // The server closed first: there is nothing left to close.
    }
  }

  struct Conversation {
    fileprivate var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    fileprivate let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private(set) var heard = ""

    fileprivate init(
      inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
      outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) {
      self.inbound = inbound
      self.outbound = outbound
    }

    func say(_ text: String) async throws { try await outbound.write(ByteBuffer(string: text)) }

    /// Listens until `isEnough` of all that was heard, or until the server closes the connection.
    @discardableResult
    mutating func listen(until isEnough: (String) -> Bool) async throws -> String {
      while !isEnough(heard) {
        guard let part = try await inbound.next() else { break }
        heard += String(buffer: part)
      }
      return heard
    }

    /// Listens to the end.
    mutating func listenToTheEnd() async throws -> String { try await listen { _ in false } }
  }
}
