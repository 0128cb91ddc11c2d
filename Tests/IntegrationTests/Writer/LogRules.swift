import Commands
import EventStore
import Ledger
import Testing

/// What is true of every log, whatever was done to the servers that wrote it.
func expectSound(_ log: [AppendedEvent], sourceLocation: SourceLocation = #_sourceLocation) {
  var versions: [StreamID: Int64] = [:]
  var lastMoment = Moment(microseconds: .min)
  var command: (id: CommandID, moment: Moment, next: Int)?
  var finished: Set<CommandID> = []
  for (offset, event) in log.enumerated() {
    let origin = event.origin
    #expect(origin.position == Int64(offset + 1), "positions have no gaps", sourceLocation: sourceLocation)
    let version = (versions[origin.stream] ?? 0) + 1
    #expect(
      origin.version == version, "version of \(origin.stream) at \(origin.position)", sourceLocation: sourceLocation)
    versions[origin.stream] = version
    if let current = command, current.id == origin.commandID {
      #expect(origin.index == current.next, sourceLocation: sourceLocation)
      #expect(origin.moment == current.moment, sourceLocation: sourceLocation)
      command = (origin.commandID, origin.moment, origin.index + 1)
    } else {
      #expect(origin.index == 0, sourceLocation: sourceLocation)
      #expect(origin.moment > lastMoment, "moments increase per command", sourceLocation: sourceLocation)
      #expect(
        finished.insert(origin.commandID).inserted, "a command happens once", sourceLocation: sourceLocation)
      command = (origin.commandID, origin.moment, 1)
      lastMoment = origin.moment
    }
  }
}

/// That nothing was decided twice: one reversal a transfer, one end a hold, and no account ever under its floor.
func expectNothingDoubled(_ log: [AppendedEvent], sourceLocation: SourceLocation = #_sourceLocation) {
  var reversed: Set<TransferID> = []
  var ended: Set<HoldID> = []
  for event in log {
    switch event.event {
    case .transferReversed(let event):
      #expect(reversed.insert(event.transferID).inserted, sourceLocation: sourceLocation)
    case .holdCaptured(let event): #expect(ended.insert(event.holdID).inserted, sourceLocation: sourceLocation)
    case .holdReleased(let event):
      #expect(ended.insert(event.returned.holdID).inserted, sourceLocation: sourceLocation)
    case .holdExpired(let event):
      #expect(ended.insert(event.returned.holdID).inserted, sourceLocation: sourceLocation)
    default: break
    }
  }
}

extension WriterBook {
  /// The log is sound, and the read models are what a slow calculator makes of it.
  func expectSoundBook(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let log = try await log()
    expectSound(log, sourceLocation: sourceLocation)
    expectNothingDoubled(log, sourceLocation: sourceLocation)
    let naive = NaiveBalances(log).accounts
    let kept = try await balances()
    #expect(kept == naive, sourceLocation: sourceLocation)
    #expect(naive.values.reduce(0) { $0 + $1.posted } == 0, "money is conserved", sourceLocation: sourceLocation)
    for (account, amounts) in naive where account != Teller.settlement {
      #expect(amounts.posted - amounts.held >= 0, "\(account) is under its floor", sourceLocation: sourceLocation)
      #expect(amounts.held >= 0, sourceLocation: sourceLocation)
    }
  }
}
