import EventStore
import Hummingbird
import Ledger
import Projections

/// Lists are public, so reading one is nobody's secret; a customer has no business with the bank's copy of them all the
/// same.
struct SanctionsRoutes {
  let reads: Reads

  private static let list = QueryParameter("list", .string(maxLength: FieldLimit.code), "Only what this list has.")

  var routes: [Route] {
    [
      Route(
        .get, "/v1/sanctions/lists", access: .bank, query: [.limit, .cursor, .atLeast],
        .read(
          "listSanctionsLists", .sanctions, "The lists in force by name, with version and count.",
          answer: .reference("SanctionsLists")), respond: lists),
      Route(
        .get, "/v1/sanctions/entries/{id}", access: .bank, query: [Self.list, .atLeast],
        .read(
          "getSanctionsEntries", .sanctions, "What the lists have, or had, under a publisher's id.",
          parameter: Operation.Parameter(
            name: "id", about: "The publisher's own id of the entry.", schema: .string(maxLength: FieldLimit.code)),
          answer: .reference("SanctionsEntries")), respond: entries),
    ]
  }

  @Sendable private func lists(_ call: Call) async throws -> Response {
    let answer = try await reads.reader.sanctionsLists(
      limit: try call.query.limit(), cursor: call.query[.cursor], atLeast: try call.atLeast())
    return try await reads.reply(answer, .withheld) { page, writer in
      writer.json.key("lists")
      writer.json.beginArray()
      for list in page.elements {
        writer.json.beginObject()
        writer.json.field("list", list.list)
        writer.json.field("version", list.version.text)
        writer.json.field("entries", integer: list.entries)
        writer.json.field("changed_at_position", integer: list.changedAt)
        writer.json.endObject()
      }
      writer.json.endArray()
      writer.json.field("next_cursor", page.next)
    }
  }

  @Sendable private func entries(_ call: Call) async throws -> Response {
    guard let id = call.parameter, !id.utf8.contains(0) else { throw Problem(.notFound) }
    let (list, atLeast) = (call.query[Self.list], try call.atLeast())
    let answer = try await reads.ask(call, about: nil) {
      try await reads.reader.sanctionsEntries(id, list: list, atLeast: atLeast)
    }
    return try await reads.reply(answer, .withheld) { entries, writer in
      writer.json.key("entries")
      writer.json.beginArray()
      for entry in entries {
        writer.json.beginObject()
        writer.json.field("list", entry.list)
        writer.json.field("list_version", entry.listVersion.text)
        writer.json.field("removed", entry.removed)
        writer.json.key("entry")
        writer.json.beginObject()
        entry.entry.write(to: &writer)
        writer.json.endObject()
        writer.json.endObject()
      }
      writer.json.endArray()
    }
  }
}
