import Commands
import EventStore
import Ledger

/// Decides whether a caller may see something, and has it recorded before it is seen.
///
/// | caller | sees | recorded |
/// | --- | --- | --- |
/// | customer | its own, personal text in clear | what it is refused |
/// | operator, auditor | everything, personal text in clear | every read of a customer's data |
/// | service | everything but personal text, which machines don't need | |
struct DataAccess: Sendable {
  let handler: CommandHandler

  /// Whether what callers of a role read of customers is recorded.
  static func records(_ role: Role) -> Bool { role == .operator || role == .auditor }

  /// Lets the caller see data of `owner`, or refuses.
  ///
  /// - Parameters:
  ///   - owner: the customer whose data it is; nil for the bank's own.
  ///   - object: the id in the route, where it isn't the owner's.
  /// - Returns: in which form the caller gets personal text.
  /// - Throws: `forbidden`; a problem of status 503 when the read can't be recorded.
  func view(_ call: Call, of owner: CustomerID?, object: Identifier?) async throws -> PersonalTextView {
    try await view(call, of: owner.map { [$0] } ?? [], object: object)
  }

  /// As above, of several customers. A customer may see what one of them being itself allows.
  func view(_ call: Call, of owners: Set<CustomerID>, object: Identifier?) async throws -> PersonalTextView {
    let actor = try call.actor
    switch actor.role {
    case .customer:
      guard let customer = actor.customer, owners.contains(customer) else {
        throw try await refusal(call, about: object)
      }
      return .clear
    case .operator, .auditor:
      try await record(
        owners.sorted().map { owner in
          .recordDataRead(
            RecordDataRead(
              customerID: owner, resource: call.route.name, objectID: object == owner ? nil : object))
        }, by: actor, correlation: call.scope.trace?.traceID)
      return .clear
    case .service, .system: return .withheld
    }
  }

  /// Records that the caller was refused, and makes the answer.
  func refusal(_ call: Call, about object: Identifier?) async throws -> Problem {
    try await refusal(call.actor, call.route, about: object, correlation: call.scope.trace?.traceID)
  }

  func refusal(
    _ caller: Actor, _ route: Route, about object: Identifier?, correlation: Identifier?
  ) async throws -> Problem {
    let outcome = try await record(
      [.recordRefusal(RecordRefusal(resource: route.name, objectID: object))], by: caller, correlation: correlation
    ).first
    return Problem(.forbidden, commandID: outcome?.commandID, position: outcome?.position)
  }

  @discardableResult
  private func record(
    _ instructions: [Instruction], by actor: Actor, correlation: Identifier?
  ) async throws -> [CommandOutcome] {
    let commands = instructions.map {
      CommandEnvelope(id: .timeOrdered(), actor: actor, instruction: $0, correlation: correlation)
    }
    return try await handler.handle(commands).map { result in
      switch result {
      case .recorded(let outcome, _): return outcome
      case .unavailable(let fault): throw Problem(fault)
      // An id that was made here a moment ago can't be taken, and neither kind of command is early or versioned.
      case .keyReused, .notDue, .versionConflict: throw Problem(.internalError)
      }
    }
  }
}

extension Problem {
  /// Why a command isn't in the log, or nobody knows yet.
  init(_ fault: BookFault, commandID: CommandID? = nil) {
    let code: ProblemCode =
      switch fault {
      case .queueFull: .queueFull
      case .databaseUnavailable: .databaseUnavailable
      case .notOpen: .bookNotOpen
      case .notSealed: .logNotSealed
      case .commandFailed: .internalError
      case .unknownRuleSet: .unknownRuleSet
      case .clockAhead: .clockAhead
      case .shuttingDown: .shuttingDown
      }
    self.init(code, fault.detail, commandID: commandID)
  }
}

extension BookFault {
  /// What a caller may know of it besides its kind. What the database says is for the log.
  fileprivate var detail: String? {
    guard case .unknownRuleSet(let number) = self else { return nil }
    return "It is rule set \(number), which this server's build doesn't have. A newer build takes the command."
  }
}
