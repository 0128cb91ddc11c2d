extension BookState {
  /// Applies one event: the fold that the inline read models, a rebuild, a replay and a decision's state are all made
  /// by.
  public mutating func evolve(_ event: Event, _ origin: EventOrigin) {
    switch event {
    case .transferPosted(let posted): post(posted, origin)
    case .transferHeldForApproval(let held): hold(held, origin)
    case .transferDeclined(let declined): record(declined, origin)
    case .transferReversed(let reversed): reverse(reversed, origin)
    case .journalPosted(let posted): post(posted, origin)
    case .journalHeldForApproval(let held): hold(held, origin)
    case .holdPlaced(let placed): place(placed, origin)
    case .holdCaptured(let captured): capture(captured, origin)
    case .holdReleased(let released): end(released.returned, as: .released, origin)
    case .holdExpired(let expired): end(expired.returned, as: .expired, origin)
    case .approvalRejected(let rejected): reject(rejected, origin)
    case .journalDeclined, .commandDeclined, .accessRefused, .customerDataRead: break
    default: evolveRegister(event, origin)
    }
    claim(event, origin)
  }

  // MARK: Money

  private mutating func post(_ posted: TransferPosted, _ origin: EventOrigin) {
    let terms = posted.terms
    if let approval = posted.approval {
      settle(approval.commandID, as: .approved, origin)
      change(terms.debit.id, origin) { $0.held -= terms.amount }
    }
    change(terms.debit.id, origin) {
      $0.posted -= terms.amount
      if posted.approval == nil { $0.usage.use(terms.amount, on: origin.bookDate) }
    }
    change(terms.credit.id, origin) { $0.posted += terms.amount }
    let usedOn = posted.approval.flatMap { approvals[$0.commandID]?.heldOn } ?? origin.bookDate
    track(terms, .posted, usedOn: usedOn, origin)
  }

  private mutating func hold(_ held: TransferHeldForApproval, _ origin: EventOrigin) {
    reserve(held.terms.amount, of: held.terms.debit.id, origin)
    wait(.transfer(held.terms), origin)
    track(held.terms, .heldForApproval, usedOn: origin.bookDate, origin)
  }

  private mutating func record(_ declined: TransferDeclined, _ origin: EventOrigin) {
    guard origin.stream.kind == .transfer else { return }
    let instruction = declined.instruction
    let terms = TransferTerms(instruction, debit: known(instruction.debit), credit: known(instruction.credit))
    track(terms, .declined, usedOn: origin.bookDate, origin)
  }

  /// The account's id as far as the event says it: a declined transfer's numbers were never resolved, and nothing asks
  /// whose they were.
  private func known(_ reference: AccountReference) -> AccountID {
    if case .id(let id) = reference { id } else { .zero }
  }

  private mutating func reverse(_ reversed: TransferReversed, _ origin: EventOrigin) {
    change(reversed.debitAccountID, origin) { $0.posted -= reversed.amount }
    change(reversed.creditAccountID, origin) {
      $0.posted += reversed.amount
      $0.usage.giveBack(reversed.amount, on: reversed.limitsUsedOn)
    }
    if var transfer = transfers[reversed.transferID] ?? nil {
      transfer.status = .reversed
      transfer.version = origin.version
      transfers[reversed.transferID] = transfer
    }
  }

  private mutating func post(_ posted: JournalPosted, _ origin: EventOrigin) {
    if let approval = posted.approval {
      settle(approval.commandID, as: .approved, origin)
      for (account, amount) in posted.terms.netDebits { change(account, origin) { $0.held -= amount } }
    } else {
      for (account, amount) in posted.terms.netDebits {
        change(account, origin) { $0.usage.use(amount, on: origin.bookDate) }
      }
    }
    for (account, amount) in posted.terms.netChanges ?? [:] { change(account, origin) { $0.posted += amount } }
  }

  private mutating func hold(_ held: JournalHeldForApproval, _ origin: EventOrigin) {
    for (account, amount) in held.terms.netDebits { reserve(amount, of: account, origin) }
    wait(.journal(held.terms), origin)
  }

  // MARK: Holds

  private mutating func place(_ placed: HoldPlaced, _ origin: EventOrigin) {
    reserve(placed.amount, of: placed.account.id, origin)
    holds[placed.holdID] = Hold(
      id: placed.holdID, accountID: placed.account.id, amount: placed.amount, currency: placed.currency,
      expiresAt: placed.expiresAt, placedOn: origin.bookDate, version: origin.version, position: origin.position)
    touched.holds.insert(placed.holdID)
  }

  private mutating func capture(_ captured: HoldCaptured, _ origin: EventOrigin) {
    change(captured.debitAccountID, origin) {
      $0.held -= captured.amount + captured.released
      $0.posted -= captured.amount
      if captured.released > 0 { $0.usage.giveBack(captured.released, on: captured.limitsUsedOn) }
    }
    change(captured.credit.id, origin) { $0.posted += captured.amount }
    end(captured.holdID, as: .captured, captured: captured.amount, origin)
  }

  private mutating func end(_ returned: HoldReturn, as status: HoldStatus, _ origin: EventOrigin) {
    release(returned.amount, of: returned.accountID, usedOn: returned.limitsUsedOn, origin)
    end(returned.holdID, as: status, captured: 0, origin)
  }

  private mutating func end(_ id: HoldID, as status: HoldStatus, captured: MinorUnits, _ origin: EventOrigin) {
    holds[id]?.status = status
    holds[id]?.captured = captured
    holds[id]?.version = origin.version
    holds[id]?.position = origin.position
    touched.holds.insert(id)
  }

  // MARK: Approvals

  /// Notes that the event's command waits for a second person.
  mutating func wait(_ subject: Approval.Subject, _ origin: EventOrigin) {
    approvals[origin.commandID] = Approval(
      commandID: origin.commandID, maker: origin.actor, subject: subject, heldOn: origin.bookDate,
      heldAt: origin.moment, stream: origin.stream, streamVersion: origin.version, position: origin.position)
    touched.approvals.insert(origin.commandID)
  }

  /// Notes that what waited has been decided.
  mutating func settle(_ id: CommandID, as status: ApprovalStatus, _ origin: EventOrigin) {
    approvals[id]?.status = status
    approvals[id]?.streamVersion = origin.version
    approvals[id]?.position = origin.position
    touched.approvals.insert(id)
  }

  private mutating func reject(_ rejected: ApprovalRejected, _ origin: EventOrigin) {
    guard let approval = approvals[rejected.note.commandID] else { return }
    for (account, amount) in approval.reservations { release(amount, of: account, usedOn: approval.heldOn, origin) }
    settle(approval.commandID, as: .rejected, origin)
    switch rejected.subject.kind {
    case .customer:
      customers[rejected.subject.id]?.version = origin.version
      customers[rejected.subject.id]?.position = origin.position
      touched.customers.insert(rejected.subject.id)
    case .book:
      book?.version = origin.version
      book?.position = origin.position
      touched.book = true
    case .transfer:
      if var transfer = transfers[rejected.subject.id] ?? nil {
        transfer.status = .rejected
        transfer.version = origin.version
        transfers[rejected.subject.id] = transfer
      }
    case .account, .journal, .hold, .sanctionsList, .command: break
    }
  }

  // MARK: Balances

  private mutating func change(_ id: AccountID, _ origin: EventOrigin, _ change: (inout Balance) -> Void) {
    guard let index = accounts.index(forKey: id) else { return }
    change(&accounts.values[index].balance)
    accounts.values[index].balance.position = origin.position
    touched.balances.insert(id)
  }

  private mutating func reserve(_ amount: MinorUnits, of account: AccountID, _ origin: EventOrigin) {
    change(account, origin) {
      $0.held += amount
      $0.usage.use(amount, on: origin.bookDate)
    }
  }

  private mutating func release(
    _ amount: MinorUnits, of account: AccountID, usedOn: CalendarDate, _ origin: EventOrigin
  ) {
    change(account, origin) {
      $0.held -= amount
      $0.usage.giveBack(amount, on: usedOn)
    }
  }

  // MARK: What no read model keeps

  private mutating func track(
    _ terms: TransferTerms, _ status: TransferStatus, usedOn: CalendarDate, _ origin: EventOrigin
  ) {
    guard keepsEverything || transfers.index(forKey: terms.transferID) != nil else { return }
    transfers[terms.transferID] = Transfer(
      id: terms.transferID, debit: terms.debit.id, credit: terms.credit.id, amount: terms.amount,
      currency: terms.currency, status: status, limitsUsedOn: usedOn, version: origin.version)
  }

  /// A command's id, and the id of its own choice that a movement was accepted under, can't be chosen again.
  private mutating func claim(_ event: Event, _ origin: EventOrigin) {
    if keepsEverything || claimed.index(forKey: origin.commandID) != nil { claimed[origin.commandID] = true }
    guard let chosen = event.chosenID(command: origin.commandID) else { return }
    if keepsEverything || claimed.index(forKey: chosen) != nil { claimed[chosen] = true }
  }
}

extension Event {
  /// The transfer's or journal's id, where an accepted command chose one other than its own.
  public func chosenID(command: CommandID) -> Identifier? {
    let id: Identifier? =
      switch self {
      case .transferPosted(let posted): posted.approval == nil ? posted.terms.transferID : nil
      case .transferHeldForApproval(let held): held.terms.transferID
      case .journalPosted(let posted): posted.approval == nil ? posted.terms.journalID : nil
      case .journalHeldForApproval(let held): held.terms.journalID
      default: nil
      }
    return id == command ? nil : id
  }
}
