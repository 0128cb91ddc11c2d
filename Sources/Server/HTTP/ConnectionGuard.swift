import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Ends connections that would otherwise be held for ever: those whose reader takes nothing of an answer, and those that the server
/// has said it closes, whatever the client still sends.
///
/// One per connection, on its event loop.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  /// How long a reader may take nothing.
  private let stall: TimeAmount
  /// How long a client has to take the last answer before the connection is cut. Cutting it at once would reset it, and the
  /// client would lose what it had not read yet.
  private let linger = TimeAmount.seconds(2)
  private var stalled: Scheduled<Void>?
  private var closesAfterAnswer = false
  private var isClosing = false

  init(stall: Duration) {
    self.stall = TimeAmount(stall)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if isClosing, case .body = unwrapInboundIn(data) { return }
    context.fireChannelRead(data)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let part = unwrapOutboundIn(data)
    switch part {
    case .head(let head):
      closesAfterAnswer = head.headerFields[.connection] == "close"
      context.write(data, promise: promise)
    case .end where closesAfterAnswer:
      isClosing = true
      context.writeAndFlush(data, promise: promise)
      let channel = context.channel
      channel.close(mode: .output, promise: nil)
      context.eventLoop.scheduleTask(in: linger) { channel.close(promise: nil) }
    case .body, .end:
      context.write(data, promise: promise)
    }
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
  }

  func channelInactive(context: ChannelHandlerContext) {
    stalled?.cancel()
    context.fireChannelInactive()
  }
}
