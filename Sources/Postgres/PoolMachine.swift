/// Who gets which connection: the pool's decisions, without connections, clocks or threads.
///
/// Callers queue in order of arrival. A connection is opened only while somebody waits and the pool isn't full; one
/// that can't be opened fails the caller that has waited longest, so a server that is gone is told at once and not
/// after a time-out. The connection last given back is lent first, so that the others may rest.
package struct PoolMachine: Sendable {
  package typealias ConnectionID = Int
  package typealias WaiterID = Int

  package enum Refusal: Sendable, Equatable {
    case tooManyWaiting
    case timedOut
    case cancelled
    case connectFailed
    case shutDown
  }

  package enum Action: Sendable, Equatable {
    case lend(ConnectionID, to: WaiterID)
    case open(ConnectionID)
    case close(ConnectionID)
    case refuse(WaiterID, Refusal)
    /// After a shutdown: the last connection is gone.
    case finish
  }

  package let maximumSize: Int
  package let maximumWaiting: Int
  package private(set) var idle: [ConnectionID] = []
  package private(set) var lent: Set<ConnectionID> = []
  package private(set) var opening: Set<ConnectionID> = []
  /// They count until they are closed, so that the server never sees more than `maximumSize`.
  package private(set) var closing: Set<ConnectionID> = []
  package private(set) var waiting: [WaiterID] = []
  package private(set) var isShutDown = false
  private var lastConnection = 0

  package init(maximumSize: Int, maximumWaiting: Int) {
    self.maximumSize = max(maximumSize, 1)
    self.maximumWaiting = max(maximumWaiting, 0)
  }

  package var size: Int { idle.count + lent.count + opening.count + closing.count }

  package mutating func acquire(_ waiter: WaiterID) -> [Action] {
    if isShutDown { return [.refuse(waiter, .shutDown)] }
    if let connection = idle.popLast() {
      lent.insert(connection)
      return [.lend(connection, to: waiter)]
    }
    // Those for whom a connection is being opened wait for the server and not for other callers.
    let room = maximumSize - size + opening.count
    guard waiting.count < maximumWaiting + room else { return [.refuse(waiter, .tooManyWaiting)] }
    waiting.append(waiter)
    return openForWaiting()
  }

  /// A caller has stopped waiting. One that has been served already is left alone.
  package mutating func withdraw(_ waiter: WaiterID, _ refusal: Refusal) -> [Action] {
    guard let index = waiting.firstIndex(of: waiter) else { return [] }
    waiting.remove(at: index)
    return [.refuse(waiter, refusal)]
  }

  package mutating func opened(_ connection: ConnectionID) -> [Action] {
    guard opening.remove(connection) != nil else { return [] }
    return isShutDown ? close(connection) : offer(connection)
  }

  package mutating func openFailed(_ connection: ConnectionID) -> [Action] {
    guard opening.remove(connection) != nil else { return [] }
    if isShutDown { return finishIfEmpty() }
    guard !waiting.isEmpty else { return [] }
    return [.refuse(waiting.removeFirst(), .connectFailed)] + openForWaiting()
  }

  package mutating func released(_ connection: ConnectionID, isReusable: Bool) -> [Action] {
    guard lent.remove(connection) != nil else { return [] }
    return isReusable && !isShutDown ? offer(connection) : close(connection)
  }

  package mutating func closed(_ connection: ConnectionID) -> [Action] {
    guard closing.remove(connection) != nil else { return [] }
    return isShutDown ? finishIfEmpty() : openForWaiting()
  }

  package mutating func shutDown() -> [Action] {
    guard !isShutDown else { return [] }
    isShutDown = true
    let refusals = waiting.map { Action.refuse($0, .shutDown) }
    let closings = idle.flatMap { close($0) }
    waiting = []
    idle = []
    return refusals + closings + finishIfEmpty()
  }

  private mutating func close(_ connection: ConnectionID) -> [Action] {
    closing.insert(connection)
    return [.close(connection)]
  }

  private mutating func offer(_ connection: ConnectionID) -> [Action] {
    guard !waiting.isEmpty else {
      idle.append(connection)
      return []
    }
    lent.insert(connection)
    return [.lend(connection, to: waiting.removeFirst())]
  }

  private mutating func openForWaiting() -> [Action] {
    var actions: [Action] = []
    while opening.count < waiting.count, size < maximumSize {
      lastConnection += 1
      opening.insert(lastConnection)
      actions.append(.open(lastConnection))
    }
    return actions
  }

  private func finishIfEmpty() -> [Action] { size == 0 ? [.finish] : [] }
}
