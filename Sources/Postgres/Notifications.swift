import CLibpq
import Glibc

/// What a NOTIFY said.
public struct Notification: Sendable, Equatable {
  public let channel: String
  public let payload: String
  /// The backend that sent it, to tell one's own apart.
  public let backendPID: Int32
}

extension Session {
  /// Subscribes to a channel. Outside a transaction it holds from now on, until the session ends.
  public func listen(_ channel: String) throws(PostgresError) {
    guard let connection, let name = PQescapeIdentifier(connection, channel, channel.utf8.count) else {
      throw PostgresError(.misuse, "not a name for a channel, or the session is lost")
    }
    defer { PQfreemem(name) }
    try simple("listen \(String(cString: name))")
  }

  /// The notifications that have come since the last call, after a wait of up to `wait` if there are none. Returns
  /// early and empty-handed when another task wants the session.
  /// - Throws: `.cancelled`, with the session still usable; `.connectionLost`.
  public func notifications(wait: Duration) throws(PostgresError) -> [Notification] {
    guard let connection, loss == nil, exchange == nil else {
      throw loss ?? PostgresError(.misuse, "the session is in the middle of another call")
    }
    let limit = ContinuousClock.now + wait
    var readiness = Readiness.ready
    while true {
      if PQconsumeInput(connection) == 0 { throw lose(farewell) }
      let arrived = takeNotifications(connection)
      guard arrived.isEmpty, readiness == .ready else { return arrived }
      guard !interrupt.isCancelled else { throw PostgresError(.cancelled, "cancelled") }
      readiness = pollOnce(pollfd(fd: PQsocket(connection), events: Int16(POLLIN), revents: 0), until: limit)
    }
  }

  private func takeNotifications(_ connection: OpaquePointer) -> [Notification] {
    var taken: [Notification] = []
    while let pointer = PQnotifies(connection) {
      defer { PQfreemem(pointer) }
      taken.append(
        Notification(
          channel: String(cString: pointer.pointee.relname), payload: String(cString: pointer.pointee.extra),
          backendPID: pointer.pointee.be_pid))
    }
    return taken
  }

  /// Looks, without waiting, whether the server has ended the session while nobody asked it anything.
  var isAlive: Bool {
    guard let connection, loss == nil else { return false }
    let socket = pollfd(fd: PQsocket(connection), events: Int16(POLLIN), revents: 0)
    while pollOnce(socket, until: ContinuousClock.now) != .timedOut {
      // Asking whether it is busy makes libpq look at what it read: a backend's last words come before its end of file.
      guard PQconsumeInput(connection) == 1, PQisBusy(connection) == 0, lastWords == nil else {
        _ = lose(farewell)
        return false
      }
    }
    return true
  }

  private var farewell: PostgresError { lastWords ?? PostgresError(.connectionLost, libpqMessage) }

  /// Takes the server's notices: drops them, but for the one with which a backend ends. Without a receiver libpq prints
  /// them to standard error.
  func receiveNotices() {
    // Unretained: libpq calls it only while a call of this session is under way.
    PQsetNoticeReceiver(
      connection,
      { session, notice in
        guard let session, let notice else { return }
        guard let severity = PQresultErrorField(notice, CInt(UInt8(ascii: "V"))) else { return }
        guard ["FATAL", "PANIC"].contains(String(cString: severity)) else { return }
        Unmanaged<Session>.fromOpaque(session).takeUnretainedValue().hear(notice)
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  private func hear(_ notice: OpaquePointer) { lastWords = error(at: notice) }
}
