import Ledger
import Testing

/// Values that decisions read.
@Suite struct StateTests {
  // MARK: Policies

  @Test func changesGiveThePoliciesAgain() {
    var policies = Policies()
    policies.fraudScoreMaximum = 1
    policies.fraudScoreMaximumAge = 2
    policies.staleFraudScore = .block
    policies.missingFraudScore = .reducedLimit
    policies.reducedLimits = [.nzd: 3, .aud: 4, .usd: 0]
    policies.sanctionsMatchThreshold = 5
    policies.retentionDays = 6
    var again = Policies()
    for change in policies.changes { again.apply(change) }
    #expect(again == policies)
    // The order is fixed: the same policies are the same bytes in the log.
    #expect(policies.changes == again.changes)
    #expect(policies.changes[4...6] == [.reducedLimit(.aud, 4), .reducedLimit(.nzd, 3), .reducedLimit(.usd, 0)])
  }

  // MARK: Limits

  @Test func everyKindOfLimitIsItsOwn() {
    for kind in LimitKind.allCases {
      var limits = Limits()
      limits[kind] = 7
      for other in LimitKind.allCases { #expect(limits[other] == (other == kind ? 7 : nil)) }
      #expect(!limits.isEmpty)
      limits[kind] = nil
      #expect(limits.isEmpty)
    }
  }

  // MARK: Available

  @Test(
    arguments: [
      (0, 0, 0, 0), (100, 30, 5, 75), (-5, 0, 5, 0), (0, 10, 5, -5), (.max, 0, .max, .max), (.max, .max, 0, 0),
      (.min, 0, 0, .min), (.min, .max, 0, .min), (.min, 0, .max, -1),
    ] as [(MinorUnits, MinorUnits, MinorUnits, MinorUnits)])
  func available(_ posted: MinorUnits, _ held: MinorUnits, _ overdraft: MinorUnits, _ available: MinorUnits) {
    var account = Account(
      id: .zero, kind: .internal, customerID: nil, currency: .nzd, name: nil, number: nil, classification: nil,
      overdraft: overdraft, allowNegative: false, balance: Balance(posted: posted, held: held, position: 1), version: 1,
      position: 1)
    #expect(account.available == available)
    account.allowNegative = true
    #expect(account.available == nil)
  }

  // MARK: Journals

  private func terms(_ postings: [(UInt64, Direction, MinorUnits)]) -> JournalTerms {
    let instructions = postings.map {
      PostingInstruction(
        account: .id(Identifier(high: 0, low: $0.0)), direction: $0.1, amount: $0.2, currency: .nzd)
    }
    return JournalTerms(
      PostJournal(journalID: .zero, postings: instructions), accounts: postings.map { Identifier(high: 0, low: $0.0) })
  }

  @Test func netChanges() {
    let one = Identifier(high: 0, low: 1)
    let two = Identifier(high: 0, low: 2)
    let journal = terms([(1, .debit, 100), (2, .credit, 70), (1, .credit, 40), (2, .debit, 10)])
    #expect(journal.netChanges == [one: -60, two: 60])
    #expect(journal.netDebits == [one: 60])
    #expect(terms([(1, .debit, 5), (1, .credit, 5)]).netDebits == [:])
    #expect(terms([(1, .debit, .max), (1, .debit, 1)]).netChanges == [one: .min])
    #expect(terms([(1, .debit, .max), (1, .debit, 2)]).netChanges == nil)
    #expect(terms([(1, .credit, .max), (1, .credit, 1)]).netChanges == nil)
  }

  // MARK: Versions of lists

  @Test func listVersionsAreATotalOrder() {
    let sorted = [
      "", "-1", "0", "1", "1.1", "1.2", "1.10", "2", "10", "2026-09-30", "2026-10-01", "a", "a1", "a2", "a10",
    ]
    .map(ListVersion.init)
    for (index, version) in sorted.enumerated() {
      for other in sorted[(index + 1)...] {
        #expect(version < other, "\(version.text) < \(other.text)")
        #expect(!(other < version), "\(other.text) < \(version.text)")
      }
      #expect(!(version < version))
    }
    #expect(ListVersion("99999999999999999999998") < ListVersion("99999999999999999999999"))
    #expect(!(ListVersion("7") < ListVersion("007")) && !(ListVersion("007") < ListVersion("7")))
  }

  // MARK: Streams

  /// The 128-bit FNV-1a hashes of "" and "a", as the draft's reference code gives them.
  @Test func listStreamsAreHashesOfTheirNames() {
    #expect(StreamID(sanctionsList: "").id.description == "6c62272e-07bb-0142-62b8-21756295c58d")
    #expect(StreamID(sanctionsList: "a").id.description == "d228cb69-6f1a-8caf-7891-2b704e4a8964")
    #expect(StreamID(sanctionsList: "UN") != StreamID(sanctionsList: "EU"))
  }

  // MARK: Actors

  @Test func actorsAreRecordedAndReadAgain() throws {
    for role in Role.allCases {
      let actor = try #require(Actor(role: role, subject: "a:b/c@d"))
      #expect(Actor(recorded: actor.description) == actor)
    }
    #expect(Actor(recorded: Actor.kauri.description) == .kauri)
    for text in ["", "operator", "operator:", "boss:x", "operator:a b", "operator:\u{e9}"] {
      #expect(Actor(recorded: text) == nil, "\(text)")
    }
    #expect(Actor(role: .operator, subject: String(repeating: "x", count: 129)) == nil)
  }
}
