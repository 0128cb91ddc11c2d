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
    guard let outcome = CommandOutcome(recorded: answer.value) else {
      throw Problem(.notFound, position: answer.position)
    }
    let view = try await view(call, of: outcome)
    let bytes = try await OutcomeWriter.bytes(reads.texts, for: try call.actor, view: view) { try $0.write(outcome) }
    return Reply.json(bytes, position: answer.position)
  }

  /// Whoever gave the command sees what it was answered then; a customer only that. To the bank's people it is
  /// customers' data, whose reading is recorded, whoever gave the command: what they were answered when they gave it
  /// was an answer to what they said, and this is a look at what the bank keeps.
  private func view(
    _ call: Call, of outcome: CommandOutcome
  ) async throws -> @Sendable (AppendedEvent) -> PersonalTextView {
    let actor = try call.actor
    let isGiver = outcome.events.first?.origin.actor == actor
    if !DataAccess.records(actor.role) {
      if isGiver { return { $0.viewOfItsActor } }
      guard actor.role != .customer else {
        throw try await reads.access.refusal(call, about: outcome.commandID)
      }
    }
    let view = try await reads.access.view(
      call, of: try await reads.customers(concernedBy: outcome.events), object: outcome.commandID)
    if isGiver { return { $0.viewOfItsActor } }
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
