import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Ends connections that would otherwise be held for ever: those whose next request's head doesn't arrive, however
/// busily its bytes drop in, those whose reader takes nothing of an answer, and those that the server has said it
/// closes, whatever the client still sends. Whoever follows a stream and ends its own side of the connection is gone: to
/// others that have no more to ask, an answer is still owed.
///
/// What the parser refuses is answered by Hummingbird without a word; here it gets its problem document.
///
/// One per connection, on its event loop.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  /// How long the head of a request may take, from the connection's beginning or the end of the last answer.
  private let arrival: TimeAmount
  /// How long a reader may take nothing.
  private let stall: TimeAmount
  /// How long a client has to take the last answer before the connection is cut. Cutting it at once would reset it, and
  /// the client would lose what it had not read yet.
  private let linger = TimeAmount.seconds(2)
  private var stalled: Scheduled<Void>?
  private var watch: Scheduled<Void>?
  /// By when the next head must be there; nil while a request is being answered.
  private var headDue: NIODeadline?
  private var requestsInAnswer = 0
  private var closesAfterAnswer = false
  private var isClosing = false
  private var isStreaming = false
  private var clientHasEnded = false
  private var isUnreadable = false

  init(arrival: Duration, stall: Duration) {
    self.arrival = TimeAmount(arrival)
    self.stall = TimeAmount(stall)
  }

  func handlerAdded(context: ChannelHandlerContext) {
    if context.channel.isActive { expectHead(context.channel) }
  }

  func channelActive(context: ChannelHandlerContext) {
    expectHead(context.channel)
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head:
      headDue = nil
      requestsInAnswer += 1
    case .body where isClosing: return
    case .body, .end: break
    }
    context.fireChannelRead(data)
  }

  private func expectHead(_ channel: any Channel) {
    headDue = .now() + arrival
    if watch == nil { watchHead(channel) }
  }

  /// One timer for the connection's whole life, which looks whether anything is due: setting and cancelling one for
  /// each request would cost every request.
  private func watchHead(_ channel: any Channel) {
    let look = headDue ?? .now() + arrival
    watch = channel.eventLoop.assumeIsolated().scheduleTask(deadline: look) { [self] in
      if let headDue, headDue <= .now() {
        channel.close(promise: nil)
      } else {
        watchHead(channel)
      }
    }
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let part = unwrapOutboundIn(data)
    switch part {
    case .head(let head):
      closesAfterAnswer = head.headerFields[.connection] == "close"
      isStreaming = head.headerFields[.contentType] == EventRoutes.eventStream
      if isUnreadable, head.status == .badRequest, head.headerFields[.contentLength] == "0" {
        writeProblem(context, promise)
      } else {
        context.write(data, promise: promise)
      }
      if isStreaming, clientHasEnded { context.close(promise: nil) }
    case .end where closesAfterAnswer:
      isClosing = true
      context.writeAndFlush(data, promise: promise)
      let channel = context.channel
      channel.close(mode: .output, promise: nil)
      context.eventLoop.scheduleTask(in: linger) { channel.close(promise: nil) }
    case .end:
      isStreaming = false
      requestsInAnswer -= 1
      if requestsInAnswer == 0 { headDue = .now() + arrival }
      context.write(data, promise: promise)
    case .body:
      context.write(data, promise: promise)
    }
  }

  private func writeProblem(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
    let problem = Problem(
      .invalidRequest, "The request isn't HTTP that is taken here.", headers: [.connection: "close"])
    let content = ByteBuffer(bytes: problem.bytes)
    var fields = problem.fields
    fields[.contentLength] = String(content.readableBytes)
    context.write(wrapOutboundOut(.head(HTTPResponse(status: problem.code.status, headerFields: fields))), promise: nil)
    context.write(wrapOutboundOut(.body(content)), promise: promise)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if error is HTTPParserError { isUnreadable = true }
    context.fireErrorCaught(error)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed? = event as? ChannelEvent {
      clientHasEnded = true
      if isStreaming { context.close(promise: nil) }
    }
    context.fireUserInboundEventTriggered(event)
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    stalled?.cancel()
    stalled = nil
    if !context.channel.isWritable {
      let channel = context.channel
      stalled = context.eventLoop.scheduleTask(in: stall) { channel.close(promise: nil) }
    }
    context.fireChannelWritabilityChanged()
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    stalled?.cancel()
    watch?.cancel()
  }

  func channelInactive(context: ChannelHandlerContext) {
    stalled?.cancel()
    watch?.cancel()
    context.fireChannelInactive()
  }
}
