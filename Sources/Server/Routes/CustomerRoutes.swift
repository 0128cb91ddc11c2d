import EventStore
import Hummingbird
import Ledger
import Projections

struct CustomerRoutes {
  let reads: Reads

  private static let customer = Operation.Parameter(name: "id", about: "The customer's id.", schema: .uuid)

  var routes: [Route] {
    [
      Route(
        .get, "/v1/customers/{id}", access: .everyRole, query: [.at, .atLeast],
        .read(
          "getCustomer", .customers, "A customer, now or in the past: status, scores, screening state.",
          parameter: Self.customer,
          answer: .reference("Customer"), hasVersion: true), respond: customer),
      Route(
        .get, "/v1/customers/{id}/accounts", access: .everyRole, query: [.limit, .cursor, .at, .atLeast],
        .read(
          "listCustomerAccounts", .customers, "A customer's accounts, in the order they were opened.",
          parameter: Self.customer, answer: .reference("Accounts")), respond: accounts),
    ]
  }

  @Sendable private func customer(_ call: Call) async throws -> Response {
    let (at, atLeast) = (try call.at(), try call.atLeast())
    let (found, view) = try await find(call)
    let answer = at == nil ? found : try await reads.reader.customer(found.value.id, at: at, atLeast: atLeast)
    // A version of the past is none that a command could be conditional on.
    let version = at == nil ? answer.value.version : nil
    return try await reads.reply(answer, view, version: version, reserving: 1_024) { customer, writer in
      CustomerRoutes.write(customer, scores: call.shown(customer.scores), asOf: answer.asOf, to: &writer)
    }
  }

  @Sendable private func accounts(_ call: Call) async throws -> Response {
    let (limit, at, atLeast) = (try call.query.limit(), try call.at(), try call.atLeast())
    let (found, view) = try await find(call)
    let answer = try await reads.reader.accounts(
      of: found.value.id, limit: limit, cursor: call.query[.cursor], at: at, atLeast: atLeast)
    return try await reads.reply(answer, view, reserving: 512 + answer.value.elements.count * 512) { page, writer in
      writer.json.key("accounts")
      writer.json.beginArray()
      for account in page.elements {
        writer.json.beginObject()
        AccountRoutes.write(account, scores: call.shown(account.scores), asOf: answer.asOf, to: &writer)
        writer.json.endObject()
      }
      writer.json.endArray()
      writer.json.field("next_cursor", page.next)
    }
  }

  /// The customer as it is now, once the caller may see it: who may not learns nothing of its past either.
  private func find(_ call: Call) async throws -> (Answer<Customer>, PersonalTextView) {
    let id = try call.identifier()
    let atLeast = try call.atLeast()
    let answer = try await reads.ask(call, about: id) { try await reads.reader.customer(id, atLeast: atLeast) }
    return (answer, try await reads.access.view(call, of: id, object: id))
  }

  private static func write(
    _ customer: Customer, scores: Scores, asOf: Moment?, to writer: inout RecordWriter
  ) {
    writer.json.field("customer_id", customer.id)
    writer.json.field("status", customer.status)
    writer.field("name", personal: customer.name)
    writer.field("date_of_birth", personal: customer.dateOfBirth)
    writer.json.field("country", customer.country)
    writer.json.field("sanctions_match", customer.sanctionsMatch)
    writer.json.field(scores: scores, asOf: asOf)
    writer.json.key("limits")
    writer.json.beginArray()
    for (currency, limits) in customer.limits.sorted(by: { $0.key < $1.key }) {
      for kind in LimitKind.allCases {
        guard let limit = limits[kind] else { continue }
        writer.json.beginObject()
        writer.json.field("currency", currency)
        writer.json.field("kind", kind)
        writer.json.field("limit", amount: limit)
        writer.json.endObject()
      }
    }
    writer.json.endArray()
    writer.json.key("accounts")
    writer.json.beginArray()
    for account in customer.accounts { writer.json.identifier(account) }
    writer.json.endArray()
    writer.json.field("version", integer: customer.version)
  }
}
