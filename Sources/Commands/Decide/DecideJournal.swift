import Ledger

func decideJournal(
  _ journal: PostJournal, _ command: CommandEnvelope, on state: borrowing BookState, in context: DecisionContext
) -> Decision {
  var accounts: [Account?] = []
  for posting in journal.postings { accounts.append(state.account(posting.account)) }
  let debited = zip(journal.postings, accounts).first { $0.0.direction == .debit }?.1
  let owned = journal.owned(
    by: writer(command.actor, debtor: debited ?? nil, creditor: accounts.first { $0?.customerID != nil } ?? nil))

  if journal.journalID != command.id, state.isClaimed(journal.journalID) {
    return declineJournal(owned, .journalExists, [Check(.journalExists, passed: false)])
  }
  if let unbalanced = imbalance(of: journal) {
    return declineJournal(owned, .unbalanced, [unbalanced])
  }

  var preFlight = PreFlight(journalParties(journal, accounts), on: state, context: context)
  preFlight.run(on: state)
  let ids = accounts.compactMap { $0?.id }
  guard preFlight.failure == nil, ids.count == journal.postings.count else {
    return declineJournal(owned, preFlight.failure ?? .unknownAccount, preFlight.checks)
  }

  let terms = JournalTerms(owned, accounts: ids)
  if let threshold = preFlight.thresholdExceeded() {
    return .accept(
      .journalHeldForApproval(JournalHeldForApproval(terms: terms, checks: preFlight.checks + [threshold])))
  }
  return .accept(.journalPosted(JournalPosted(terms: terms, checks: preFlight.checks)))
}

/// One party an account, with what it gives or gets on balance; an account whose postings cancel out is a creditor of
/// nothing.
func journalParties(
  _ journal: PostJournal, _ accounts: [Account?], heldOn: CalendarDate? = nil
) -> [PreFlight.Party] {
  var order: [AccountReference] = []
  var net: [AccountReference: (account: Account?, currency: Currency, sum: Int128, reach: ClosedRange<Int128>)] = [:]
  for (posting, account) in zip(journal.postings, accounts) {
    let key = account.map { AccountReference.id($0.id) } ?? posting.account
    // Postings of one account in two currencies are two parties, so that the wrong one is found and named.
    if let known = net[key], known.currency != posting.currency {
      return mismatched(journal, accounts)
    }
    let signed = Int128(posting.direction == .debit ? -posting.amount : posting.amount)
    if net[key] == nil { order.append(key) }
    let (before, reach) = (net[key]?.sum ?? 0, net[key]?.reach ?? 0...0)
    let sum = before + signed
    net[key] = (account, posting.currency, sum, min(reach.lowerBound, sum)...max(reach.upperBound, sum))
  }
  return order.compactMap { key in
    net[key].map { party in
      let amount = MinorUnits(clamping: party.sum.magnitude)
      var whole = PreFlight.Party(
        role: party.sum < 0 ? .debtor : .creditor, reference: key, account: party.account, currency: party.currency,
        amount: amount, reserved: heldOn.flatMap { party.sum < 0 ? (amount, $0) : nil })
      whole.reach = party.reach
      return whole
    }
  }
}

private func mismatched(_ journal: PostJournal, _ accounts: [Account?]) -> [PreFlight.Party] {
  zip(journal.postings, accounts).map { posting, account in
    PreFlight.Party(
      role: posting.direction == .debit ? .debtor : .creditor, reference: posting.account, account: account,
      currency: posting.currency, amount: posting.amount)
  }
}

/// The check that failed when the debits and credits of a currency don't sum to zero, or leave Int64.
private func imbalance(of journal: PostJournal) -> Check? {
  var sums: [Currency: (debits: Int128, credits: Int128)] = [:]
  for posting in journal.postings {
    var sum = sums[posting.currency] ?? (0, 0)
    switch posting.direction {
    case .debit: sum.debits += Int128(posting.amount)
    case .credit: sum.credits += Int128(posting.amount)
    }
    sums[posting.currency] = sum
  }
  for (currency, sum) in sums.sorted(by: { $0.key.code < $1.key.code }) {
    guard sum.debits != sum.credits else {
      if sum.debits > Int128(MinorUnits.max) {
        return Check(.unbalanced, passed: false, [.text("currency", currency.code), .text("sum", "overflow")])
      }
      continue
    }
    return Check(
      .unbalanced, passed: false,
      [
        .text("currency", currency.code), .text("debits", String(sum.debits)), .text("credits", String(sum.credits)),
      ])
  }
  return nil
}

private func declineJournal(_ journal: PostJournal, _ code: RejectionCode, _ checks: [Check]) -> Decision {
  let declined = JournalDeclined(instruction: journal, code: code, checks: checks)
  return .record([.journalDeclined(declined)], .declined(code))
}

extension PostJournal {
  func owned(by subject: Identifier) -> PostJournal {
    var owned = self
    owned.reference = reference?.owned(by: subject)
    return owned
  }
}
