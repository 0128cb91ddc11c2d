public import Hummingbird
import Ledger
import NIOCore

/// What is known about a request while it is being answered.
public struct RequestScope: RequestContext {
  public var coreContext: CoreRequestContextStorage
  /// Ties together everything that the request led to, in logs and answers.
  public internal(set) var requestID: RequestID
  /// The trace it is part of, when the caller sent one.
  var trace: TraceContext?

  public init(source: ApplicationRequestContextSource) {
    coreContext = CoreRequestContextStorage(source: source)
    requestID = RequestID()
  }
}

/// A request's id: the caller's own where it sent a usable one.
public struct RequestID: Sendable, CustomStringConvertible {
  public let description: String

  init() { description = Identifier.timeOrdered().description }

  /// - Returns: nil when the text isn't 1 to 128 visible ASCII characters: it goes into logs as it is.
  init?(_ text: String) {
    guard (1...128).contains(text.utf8.count), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
    description = text
  }
}
