import Commands
import EventStore
import Hummingbird
import Ledger
import Projections

struct TransferRoutes {
  let reads: Reads

  private static let transfer = Operation.Parameter(name: "id", about: "The transfer's id.", schema: .uuid)

  var routes: [Route] {
    [
      Route(
        .get, "/v1/transfers/{id}", access: .everyRole, query: [.atLeast],
        .read(
          "getTransfer", .transfers, "A transfer with its history.", parameter: Self.transfer,
          answer: .reference("Transfer")), respond: transfer)
    ]
  }

  @Sendable private func transfer(_ call: Call) async throws -> Response {
    let id = try call.identifier()
    let atLeast = try call.atLeast()
    let answer = try await reads.ask(call, about: id) { try await reads.reader.transfer(id, atLeast: atLeast) }
    let owners = try await reads.customers(concernedBy: answer.value.history.map(\.event))
    let view = try await reads.access.view(call, of: owners, object: id)
    return try await reads.reply(answer, view, reserving: 1_024) { TransferRoutes.write($0, to: &$1) }
  }

  private static func write(_ transfer: TransferReading, to writer: inout RecordWriter) {
    writer.json.field("transfer_id", transfer.transferID)
    writer.json.field("status", transfer.status)
    let accounts = transfer.accounts
    writer.field("debit_account_id", accounts?.debit ?? transfer.debit)
    writer.field("credit_account_id", accounts?.credit ?? transfer.credit)
    writer.json.field("amount", amount: transfer.amount)
    writer.json.field("currency", transfer.currency)
    writer.field("reference", personal: transfer.reference)
    writer.json.field("channel", transfer.channel)
    writer.json.field("value_date", transfer.valueDate)
    writer.json.field("occurred_at", transfer.occurredAt)
    writer.json.key("history")
    writer.json.beginArray()
    for step in transfer.history {
      writer.json.beginObject()
      writer.json.field("status", step.status)
      writer.json.field("position", integer: step.event.origin.position)
      writer.json.field("type", step.event.event.type)
      writer.json.field("command_id", step.event.origin.commandID)
      writer.json.field("recorded_at", step.event.origin.moment)
      writer.json.endObject()
    }
    writer.json.endArray()
  }
}

extension TransferReading {
  /// The accounts by their ids, however the command named them; nil for a transfer that was declined.
  fileprivate var accounts: (debit: AccountReference, credit: AccountReference)? {
    for step in history {
      switch step.event.event {
      case .transferPosted(let posted): return (.id(posted.terms.debit.id), .id(posted.terms.credit.id))
      case .transferHeldForApproval(let held): return (.id(held.terms.debit.id), .id(held.terms.credit.id))
      default: continue
      }
    }
    return nil
  }
}
