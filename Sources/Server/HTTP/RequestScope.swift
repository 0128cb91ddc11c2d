import EventStore
public import Hummingbird
import Ledger
import NIOCore
import Synchronization

/// What is known about a request while it is being answered.
public struct RequestScope: RequestContext {
  public var coreContext: CoreRequestContextStorage
  /// Ties together everything that the request led to, in logs and answers. Set when the request passes the gate.
  var requestID = RequestID.none
  /// The trace it is part of, when the caller sent one.
  var trace: TraceContext?
  private let connectionEnd: EventLoopFuture<Void>

  public init(source: ApplicationRequestContextSource) {
    coreContext = CoreRequestContextStorage(source: source)
    connectionEnd = source.channel.closeFuture
  }

  /// Has `body` called once the connection is closed.
  func whenClosed(_ body: @escaping @Sendable () -> Void) {
    connectionEnd.whenComplete { _ in body() }
  }
}

/// A request's id: the caller's own where it sent a usable one.
struct RequestID: Sendable, CustomStringConvertible {
  static let none = RequestID(unchecked: "")

  let description: String

  private init(unchecked text: String) { description = text }

  /// A new one: a UUID of version 7 that is unique and need not be unguessable, so that no request asks the system for
  /// chance.
  init() {
    let number = RequestID.count.wrappingAdd(1, ordering: .relaxed).newValue
    let time = UInt64(clamping: Moment.now.microseconds / 1000)
    let low = 0x8000_0000_0000_0000 | (RequestID.process &+ number) & 0x3FFF_FFFF_FFFF_FFFF
    description = Identifier(high: time << 16 | 0x7000 | number & 0x0FFF, low: low).description
  }

  private static let count = Atomic<UInt64>(0)
  private static let process = UInt64.random(in: 0...UInt64.max)

  /// - Returns: nil when the text isn't 1 to 128 visible ASCII characters: it goes into logs as it is.
  init?(_ text: String) {
    guard (1...128).contains(text.utf8.count), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
    description = text
  }
}
