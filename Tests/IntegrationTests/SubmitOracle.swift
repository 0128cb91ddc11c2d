import Ledger

/// A random file of commands, and what each line has to do with, worked out by somebody who knows the whole bank and
/// not by reading lines.
struct SubmitOracle {
  /// Which customers, accounts, transfers, holds and numbers a line's decision reads or changes; nil for all of them.
  struct Line {
    let id: Identifier
    let text: String
    let concerns: Set<Int>?
  }

  private struct Account {
    let name: Int
    let reference: String
    /// The account itself, and the customer behind it where there is one.
    let concerns: Set<Int>
  }

  private(set) var lines: [Line] = []
  private var chance: SubmitChance
  private var names = 0
  private var accounts: [Account] = []
  private var customers: [(name: Int, id: Identifier)] = []
  /// Transfers and holds so far: their ids and what they concern.
  private var transfers: [(id: Identifier, concerns: Set<Int>)] = []
  private var holds: [(id: Identifier, concerns: Set<Int>)] = []

  init(lines count: Int, chance: SubmitChance) {
    self.chance = chance
    for _ in 0..<3 { openAccount(ofNewCustomer: true) }
    while lines.count < count { addLine() }
  }

  private mutating func addLine() {
    switch chance.index(below: 40) {
    case 0..<4: openAccount(ofNewCustomer: true)
    case 4: openAccount(ofNewCustomer: false)
    case 5..<8: placeHold()
    case 8: captureHold()
    case 9: reverse()
    case 10: limitCustomer()
    case 11: freeze()
    // An account that some other file has opened: nobody can say from this one whose it is.
    case 12 where chance.oneIn(4): transferFromElsewhere()
    case 13 where chance.oneIn(4):
      add("SetPolicy", #""policy":"fraud_score_maximum","value":\#(chance.index(below: 1000))"#, nil)
    case 14 where chance.oneIn(4): lines.append(Line(id: newID(), text: "this isn't JSON", concerns: []))
    default: transfer()
    }
  }

  // MARK: Commands

  private mutating func openAccount(ofNewCustomer isNew: Bool) {
    if isNew || customers.isEmpty {
      let customer = (name: newName(), id: newID())
      customers.append(customer)
      add("RegisterCustomer", #""customer_id":"\#(customer.id)","name":"A","country":"NZ""#, [customer.name])
      add("VerifyCustomer", #""customer_id":"\#(customer.id)""#, [customer.name])
    }
    let customer = customers[chance.index(below: customers.count)]
    let (name, id) = (newName(), newID())
    var fields = #""account_id":"\#(id)","customer_id":"\#(customer.id)","currency":"NZD""#
    var reference = "\(id)"
    if chance.oneIn(3) {
      reference = "062-000 1\(name)0"
      fields += #","number":"\#(reference)""#
    }
    add("OpenAccount", fields, [name, customer.name])
    // Named by its id at times and by its number at others.
    accounts.append(Account(name: name, reference: "\(id)", concerns: [name, customer.name]))
    accounts.append(Account(name: name, reference: reference, concerns: [name, customer.name]))
  }

  private mutating func transfer() {
    let (debit, credit) = (anAccount(), anAccount())
    let concerns = debit.concerns.union(credit.concerns)
    let id = add("PostTransfer", transferFields(debit.reference, credit.reference), concerns)
    transfers.append((id, concerns))
  }

  private mutating func transferFromElsewhere() {
    add("PostTransfer", transferFields("\(newID())", anAccount().reference), nil)
  }

  private func transferFields(_ debit: String, _ credit: String) -> String {
    #""debit_account_id":"\#(debit)","credit_account_id":"\#(credit)","amount":"5","currency":"NZD""#
  }

  private mutating func reverse() {
    guard !transfers.isEmpty else { return }
    let transfer = transfers[chance.index(below: transfers.count)]
    add("ReverseTransfer", #""transfer_id":"\#(transfer.id)","reason":"wrong""#, transfer.concerns)
  }

  private mutating func placeHold() {
    let account = anAccount()
    let hold = newID()
    add(
      "PlaceHold", #""hold_id":"\#(hold)","account_id":"\#(account.reference)","amount":"5","currency":"NZD""#,
      account.concerns)
    holds.append((hold, account.concerns))
  }

  private mutating func captureHold() {
    guard !holds.isEmpty else { return }
    let hold = holds[chance.index(below: holds.count)]
    let credit = anAccount()
    add(
      "CaptureHold", #""hold_id":"\#(hold.id)","credit_account_id":"\#(credit.reference)""#,
      hold.concerns.union(credit.concerns))
  }

  private mutating func limitCustomer() {
    let customer = customers[chance.index(below: customers.count)]
    add(
      "SetLimit", #""subject_id":"\#(customer.id)","kind":"daily","amount":"5","currency":"NZD""#, [customer.name])
  }

  private mutating func freeze() {
    let account = anAccount()
    add("FreezeAccount", #""account_id":"\#(account.reference)""#, account.concerns)
  }

  // MARK: Making them

  /// The first few accounts have most of the traffic, as in life.
  private mutating func anAccount() -> Account {
    accounts[chance.oneIn(2) ? chance.index(below: min(4, accounts.count)) : chance.index(below: accounts.count)]
  }

  private mutating func newName() -> Int {
    names += 1
    return names
  }

  private mutating func newID() -> Identifier {
    Identifier(high: chance.next() & ~0xF000 | 0x7000, low: chance.next() >> 2 | 1 << 63)
  }

  @discardableResult
  private mutating func add(_ command: String, _ data: String, _ concerns: Set<Int>?) -> Identifier {
    let id = newID()
    lines.append(
      Line(id: id, text: #"{"command":"\#(command)","id":"\#(id)","data":{\#(data)}}"#, concerns: concerns))
    return id
  }

  /// The first pair of lines that were decided in the wrong order, if any: `decided` has the place of each line's
  /// decision.
  func firstDisorder(decided: [Identifier: Int]) -> String? {
    for (later, line) in lines.enumerated() where decided[line.id] != nil {
      for earlier in 0..<later {
        let before = lines[earlier]
        guard let first = decided[before.id], let second = decided[line.id], first > second else { continue }
        let common = line.concerns.map { own in before.concerns.map { !own.isDisjoint(with: $0) } ?? true } ?? true
        if common { return "line \(later + 1) was decided before line \(earlier + 1)" }
      }
    }
    return nil
  }
}
