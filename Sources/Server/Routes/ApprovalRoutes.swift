import Commands
import EventStore
import Hummingbird
import Ledger
import Projections

/// A list of work for the bank's people: what waits, without personal text. It names accounts and what they move, so
/// reading it is a read of their customers' data and recorded as one.
struct ApprovalRoutes {
  let reads: Reads

  var routes: [Route] {
    [
      Route(
        .get, "/v1/approvals", access: .people, query: [.limit, .cursor, .atLeast],
        .read(
          "listApprovals", .approvals, "What waits for a second person, oldest first.",
          answer: .reference("Approvals")),
        respond: approvals)
    ]
  }

  @Sendable private func approvals(_ call: Call) async throws -> Response {
    let answer = try await reads.reader.approvals(
      limit: try call.query.limit(), cursor: call.query[.cursor], atLeast: try call.atLeast())
    _ = try await reads.access.view(
      call, of: try await reads.customers(concernedBy: answer.value.elements), object: nil)
    return try await reads.reply(answer, .withheld, reserving: 512 + answer.value.elements.count * 512) {
      page, writer in
      writer.json.key("approvals")
      writer.json.beginArray()
      for approval in page.elements { ApprovalRoutes.write(approval, to: &writer) }
      writer.json.endArray()
      writer.json.field("next_cursor", page.next)
    }
  }

  private static func write(_ approval: Approval, to writer: inout RecordWriter) {
    let (kind, instruction): (String, Instruction) =
      switch approval.subject {
      case .transfer(let terms): ("transfer", .postTransfer(terms.instruction))
      case .journal(let terms): ("journal", .postJournal(terms.instruction))
      case .policy(let change): ("policy", .setPolicy(SetPolicy(change: change)))
      case .ruleSet(let number): ("rule_set", .activateRuleSet(ActivateRuleSet(ruleSet: number)))
      case .match(let finding, .confirm): ("sanctions_match", .confirmMatch(ConfirmMatch(finding: finding)))
      case .match(let finding, .clear): ("sanctions_match", .clearMatch(ClearMatch(finding: finding)))
      }
    writer.json.beginObject()
    writer.json.field("command_id", approval.commandID)
    writer.json.field("kind", kind)
    writer.json.field("command", instruction.name)
    writer.json.field("maker", approval.maker.description)
    writer.json.field("waiting_since", approval.heldAt)
    writer.json.field("stream", "\(approval.stream.kind.rawValue)/\(approval.stream.id)")
    writer.json.key("data")
    writer.json.beginObject()
    instruction.write(to: &writer)
    writer.json.endObject()
    writer.json.endObject()
  }
}

extension Reads {
  /// The customers whose data is in what waits.
  fileprivate func customers(concernedBy approvals: [Approval]) async throws -> Set<CustomerID> {
    var accounts: Set<AccountID> = []
    var customers: Set<CustomerID> = []
    for approval in approvals {
      switch approval.subject {
      case .transfer(let terms): accounts.formUnion([terms.debit.id, terms.credit.id])
      case .journal(let terms): accounts.formUnion(terms.postings.map(\.account.id))
      case .match(let finding, _): customers.insert(finding.customerID)
      case .policy, .ruleSet: break
      }
    }
    return customers.union(try await reader.owners(of: accounts).values)
  }
}
