public import Commands
public import Ledger

/// Whose data events hold: the customers and accounts that their payloads name.
public struct ConcernedParties: Sendable {
  public private(set) var customers: Set<CustomerID> = []
  public private(set) var accounts: Set<AccountID> = []
  public private(set) var numbers: Set<AccountNumber> = []

  public init() {}

  public mutating func add(_ event: AppendedEvent) {
    switch event.origin.stream.kind {
    case .customer: customers.insert(event.origin.stream.id)
    case .account: accounts.insert(event.origin.stream.id)
    // Lists are public, and long.
    case .sanctionsList: return
    case .book, .transfer, .journal, .hold, .command: break
    }
    guard let document = try? JSONDocument(event.payload) else { return }
    add(document.root)
  }

  /// Documents are at most as deep as commands are, which the reader bounds.
  private mutating func add(_ value: JSONValue) {
    switch value.kind {
    case .array:
      guard let array = try? value.array() else { return }
      for element in array { add(element) }
    case .object:
      guard let object = try? value.object() else { return }
      for (name, value) in object { add(name, value) }
    case .null, .boolean, .number, .string: break
    }
  }

  private mutating func add(_ name: String, _ value: JSONValue) {
    switch name {
    // `subject` is whose key seals a text; zero is the book's own.
    case "customer_id", "subject":
      if let id = value.identifierIfAny, id != .zero { customers.insert(id) }
    case "account_id", "debit_account_id", "credit_account_id", "subject_id":
      switch try? value.accountReference() {
      case .id(let id): accounts.insert(id)
      case .number(let number): numbers.insert(number)
      case nil: break
      }
    default: add(value)
    }
  }
}
