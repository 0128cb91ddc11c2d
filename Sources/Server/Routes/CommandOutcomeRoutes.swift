import Commands
import EventStore
import Hummingbird
import Ledger
import Projections

/// What a command led to, and why.
struct CommandOutcomeRoutes {
  let reads: Reads

  var routes: [Route] {
    [
      Route(
        .get, "/v1/commands/{id}", access: .everyRole, query: [.atLeast],
        .read(
          "getCommand", .commands, "What a command led to: its own answer again, with every check and its figures.",
          parameter: Operation.Parameter(name: "id", about: "The command's id.", schema: .uuid),
          answer: .oneOf([.reference("Outcome"), .reference("Decline")])), respond: command)
    ]
  }

  @Sendable private func command(_ call: Call) async throws -> Response {
    let id = try call.identifier()
    let atLeast = try call.atLeast()
    let answer = try await reads.ask(call, about: id) { try await reads.reader.command(id, atLeast: atLeast) }
    guard let outcome = CommandOutcome(recorded: answer.value) else { throw Problem(.notFound) }
    let view = try await view(call, of: outcome)
    let bytes = try await OutcomeWriter.bytes(reads.texts, view: view) { try $0.write(outcome) }
    return Reply.json(bytes, position: answer.position)
  }

  /// Whoever gave the command sees what it was answered then. To the bank's people it is customers' data, whose reading
  /// is recorded; to other customers it is nothing.
  private func view(
    _ call: Call, of outcome: CommandOutcome
  ) async throws -> @Sendable (AppendedEvent) -> PersonalTextView {
    let actor = try call.actor
    if outcome.events.first?.origin.actor == actor { return { $0.viewOfItsActor } }
    guard actor.role != .customer else {
      throw try await reads.access.refusal(call, about: outcome.commandID)
    }
    let view = try await reads.access.view(
      call, of: try await reads.customers(concernedBy: outcome.events), object: outcome.commandID)
    return { _ in view }
  }
}

extension Reads {
  /// The customers whose data these events hold.
  func customers(concernedBy events: [AppendedEvent]) async throws -> Set<CustomerID> {
    var concerned = ConcernedParties()
    for event in events { concerned.add(event) }
    var customers = concerned.customers.union(try await reader.owners(of: concerned.accounts).values)
    // A decline names accounts as the command did, perhaps by their numbers.
    for number in concerned.numbers {
      do {
        if let owner = try await reader.account(.number(number), atLeast: nil).value.customerID {
          customers.insert(owner)
        }
      } catch QueryFault.unknown {
        continue
      }
    }
    return customers
  }
}

/// Whose data events hold: the customers and accounts that their payloads name.
struct ConcernedParties {
  private(set) var customers: Set<CustomerID> = []
  private(set) var accounts: Set<AccountID> = []
  private(set) var numbers: Set<AccountNumber> = []

  mutating func add(_ event: AppendedEvent) {
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
