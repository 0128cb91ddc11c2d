public import Ledger

/// An event as it was appended, with the very bytes of its payload.
public struct AppendedEvent: Hashable, Sendable {
  public var origin: EventOrigin
  public var event: Event
  /// The payload as the log has it, personal text sealed.
  public var payload: [UInt8]

  public init(origin: EventOrigin, event: Event, payload: [UInt8]) {
    self.origin = origin
    self.event = event
    self.payload = payload
  }
}

/// What a command led to. The same whether it has just been decided or was decided long ago.
public struct CommandOutcome: Sendable {
  public var commandID: CommandID
  /// The command's name in the contract, `PostTransfer`.
  public var command: String
  public var verdict: Verdict
  /// At least one, in the order they were appended.
  public var events: [AppendedEvent]

  public init(commandID: CommandID, command: String, verdict: Verdict, events: [AppendedEvent]) {
    self.commandID = commandID
    self.command = command
    self.verdict = verdict
    self.events = events
  }

  /// The log position of the last event, which a read model must have reached to show what the command did.
  public var position: Int64 { events.last?.origin.position ?? 0 }
}

/// What is answered to a command.
public enum CommandResult: Sendable {
  /// It stands in the log; `replayed` when it already stood there before it was given this time.
  case recorded(CommandOutcome, replayed: Bool)
  /// The id belongs to another command. Nothing of that command is shown.
  case keyReused
  /// `ExpireHold` before its time: not recorded.
  case notDue
  /// The stream isn't at the version that the caller expects: not recorded.
  case versionConflict(current: Int64)
  /// Whether it stands in the log is not known yet, or it certainly doesn't; asking again with the same id settles it
  /// either way.
  case unavailable(BookFault)
}

/// Why the book can't take commands at the moment.
public enum BookFault: Error, Hashable, Sendable {
  /// More commands wait than the queue may hold.
  case queueFull
  /// The database is gone, restarting, or held by a writer that doesn't answer.
  case databaseUnavailable(String)
  /// The log's active rule set, or one that the command would activate, is one that this build doesn't know.
  case unknownRuleSet(Int)
  /// The log is empty: `kauri migrate` opens the book.
  case notOpen
  /// The log holds events after those that are sealed, from before it was: `kauri migrate` seals them.
  case notSealed(sealed: Int64, position: Int64)
  /// This server's clock is minutes ahead of the database's: what it dated so could never be taken back.
  case clockAhead(of: Moment)
  /// This one command can't be committed, whatever is tried: a fault in Kauri, with the technical reason.
  case commandFailed(String)
  /// The server is stopping.
  case shuttingDown
}
