import Ledger

/// What happens at the bank on an ordinary day.
extension DemoBank {
  mutating func live() {
    for back in (0..<Self.daysCount).reversed() {
      let date = today.adding(days: -back)
      // Wednesday is pay day, every other week; Thursday is rent day.
      if date.weekday == 3, date.daysSince1970 / 7 % 2 == 0 { payWages(on: date) }
      if date.weekday == 4 { payRents(on: date) }
      if date.day == 20 { payUtilities(on: date) }
      if date.adding(days: 1).day == 1 { takeFees(on: date) }
      for person in people.indices { liveADay(person, on: date) }
    }
  }

  private mutating func payWages(on date: CalendarDate) {
    for person in people {
      pay(from: internalAccounts.settlement, to: person.party.account, person.wage, "Wages", on: date)
      guard let savings = person.party.savings else { continue }
      let share = MinorUnits(5 + chance.index(below: 10))
      pay(from: person.party.account, to: savings, person.wage * share / 100, "Savings", by: .online, on: date)
    }
  }

  private mutating func payRents(on date: CalendarDate) {
    for person in people {
      guard let rent = person.rent else { continue }
      pay(from: person.party.account, to: landlords[rent.landlord].account, rent.amount, "Rent", by: .online, on: date)
    }
  }

  private mutating func payUtilities(on date: CalendarDate) {
    for person in people {
      for (index, utility) in utilities.enumerated() {
        let amount = MinorUnits.random(in: DemoNames.utilities[index].cents, using: &chance)
        pay(from: person.party.account, to: utility.account, amount, utility.name, by: .online, on: date)
      }
    }
  }

  private mutating func takeFees(on date: CalendarDate) {
    for person in people where person.paysFee {
      pay(from: person.party.account, to: internalAccounts.fees, 500, "Monthly account fee", on: date)
    }
  }

  private mutating func liveADay(_ index: Int, on date: CalendarDate) {
    let person = people[index]
    if chance.percent(person.spending) { buy(person, on: date) }
    if date.weekday == 6, chance.percent(25) {
      let notes = MinorUnits(chance.pick([20, 40, 60, 100, 200])) * 100
      pay(from: person.party.account, to: internalAccounts.cash, notes, "Cash machine", by: .cash, on: date)
    }
    if chance.percent(3) {
      let friend = people[chance.index(below: people.count)].party
      guard friend.account != person.party.account else { return }
      let reference = chance.pick(["Thanks for dinner", "Concert tickets", "Petrol money", "Birthday present"])
      pay(
        from: person.party.account, to: friend.account, MinorUnits(1_000 + chance.index(below: 8_000)), reference,
        by: .online, on: date)
    }
  }

  private mutating func buy(_ person: Person, on date: CalendarDate) {
    var place = chance.index(below: 100)
    for (shop, party) in zip(DemoNames.shops, shops) {
      place -= shop.share
      guard place < 0 else { continue }
      pay(
        from: person.party.account, to: party.account, MinorUnits.random(in: shop.cents, using: &chance), party.name,
        by: .card, on: date)
      return
    }
  }
}

/// What is worth a second look: a hold, a limit, scores, a frozen account, something undone, something that waits.
extension DemoBank {
  mutating func addWhatStandsOut() {
    recordScores()
    declineOverLimit(people[2].party)
    freeze(people[3].party)
    holdMoney(of: people[0].party)
    reverseADoublePayment(of: people[1].party)
    leaveAnApproval(to: landlords[0])
  }

  private mutating func recordScores() {
    for person in people[10..<40] { score(person.party, 10 + chance.index(below: 280)) }
    let suspect = people[4].party
    score(suspect, 910)
    // Declined: fraud_score_too_high.
    pay(from: suspect.account, to: people[5].party.account, 1_000, "Urgent", by: .online, on: today)
  }

  private mutating func score(_ party: Party, _ value: Int) {
    add(
      .recordFraudScore(
        RecordFraudScore(
          report: ScoreReport(subject: .id(party.account), score: value, model: "demo-fraud-1", scoredAt: opened))))
  }

  private mutating func declineOverLimit(_ party: Party) {
    add(
      .setLimit(SetLimit(subject: .id(party.customer), kind: .perTransaction, amount: 50_000, currency: .nzd)))
    // Declined: limit_per_transaction.
    pay(from: party.account, to: shops[10].account, 75_000, "New mower", by: .card, on: today)
  }

  private mutating func freeze(_ party: Party) {
    add(.freezeAccount(FreezeAccount(account: .id(party.account), reason: PersonalText("Card reported lost"))))
    // Declined: account_not_open.
    pay(from: party.account, to: shops[4].account, 650, shops[4].name, by: .card, on: today)
  }

  private mutating func holdMoney(of party: Party) {
    let week = opened.adding(microseconds: 7 * 86_400 * 1_000_000)
    let fuel = add { id in
      .placeHold(PlaceHold(holdID: id, account: .id(party.account), amount: 15_000, currency: .nzd, expiresAt: week))
    }
    add(.captureHold(CaptureHold(holdID: fuel, credit: .id(shops[6].account), amount: 8_240)))
    add { id in
      .placeHold(PlaceHold(holdID: id, account: .id(party.account), amount: 24_000, currency: .nzd, expiresAt: week))
    }
  }

  private mutating func reverseADoublePayment(of party: Party) {
    pay(from: party.account, to: shops[8].account, 3_190, shops[8].name, by: .card, on: today)
    let second = pay(from: party.account, to: shops[8].account, 3_190, shops[8].name, by: .card, on: today)
    add(.reverseTransfer(ReverseTransfer(transferID: second, reason: PersonalText("Charged twice"))))
  }

  private mutating func leaveAnApproval(to landlord: Party) {
    add(
      .setLimit(SetLimit(subject: .id(landlord.account), kind: .approvalThreshold, amount: 1_000_000, currency: .nzd)))
    // Held until another operator approves it.
    pay(
      from: landlord.account, to: landlords[1].account, 1_850_000, "Share of the Thorndon sale", by: .online, on: today)
  }
}
