/// How much of anything a client may ask of the server.
public struct ServerLimits: Sendable {
  /// Bytes of a command's content.
  public var commandBytes = 1 << 20
  /// Bytes of a whole list of sanctions, the one command that is large.
  public var listBytes = 32 << 20
  /// Bytes of a batch of commands.
  public var batchBytes = 16 << 20
  /// Commands of a batch.
  public var batchLines = 8_192
  /// Batches and lists that may be read or answered at once: each may hold its bytes in memory.
  public var largeRequests = 32
  /// Requests that may be answered at once.
  public var requests = 4_096
  /// Requests of one caller that may be answered at once.
  public var requestsPerCaller = 512
  /// Connections, idle ones included.
  public var connections = 8_192
  /// Streams of the log that may be open at once.
  public var followers = 256
  /// Streams of one caller that may be open at once, an eighth of them all.
  public var followersPerCaller = 32
  /// Bytes of a request's path and query.
  public var uriBytes = 8_192
  /// Bytes of a request's headers together.
  public var headerBytes = 16_384
  /// The longest that a request's head may take to arrive, and then its content.
  public var arrival = Duration.seconds(30)
  /// The longest silence of a connection that isn't waiting for an answer, and of a reader that takes nothing of one.
  public var silence = Duration.seconds(30)
  /// The longest wait for a log position.
  public var positionWait = Duration.seconds(3)

  public init() {}
}
