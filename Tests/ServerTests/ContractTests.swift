import Commands
import HTTPTypes
import Ledger
import Server
import Testing

/// The OpenAPI document that the server serves says what the server does.
@Suite struct ContractTests {
  private static func document(_ caller: TestCaller) async throws -> JSONText {
    let answer = try await caller.get("/openapi.json", as: nil)
    #expect(answer.status == .ok)
    return try answer.json
  }

  private static func fields(_ value: JSONValue?) throws -> [String: JSONValue] {
    guard let value else { return [:] }
    return try value.object().reduce(into: [:]) { $0[$1.key] = $1.value }
  }

  @Test func everyRouteIsInItAndNothingElse() async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      let paths = try Self.fields(Self.fields(try await Self.document(caller).root)["paths"])
      var documented: Set<String> = []
      for (path, item) in paths {
        for method in try Self.fields(item).keys { documented.insert("\(method.uppercased()) \(path)") }
      }
      #expect(documented == Set(contractedRoutes(bank.parts)))
      // As API.md has them, but for payments and screening, which come later.
      for route in [
        "POST /v1/commands", "POST /v1/commands/PostTransfer", "GET /v1/accounts/{id}", "GET /v1/accounts/{id}/balance",
        "GET /v1/accounts/{id}/entries", "GET /v1/accounts/{id}/limits", "GET /v1/accounts/{id}/holds",
        "GET /v1/customers/{id}", "GET /v1/customers/{id}/accounts", "GET /v1/transfers/{id}", "GET /v1/commands/{id}",
        "GET /v1/sanctions/lists", "GET /v1/sanctions/entries/{id}", "GET /v1/approvals", "GET /v1/events",
        "GET /v1/audit/checkpoint", "GET /v1/audit/inclusion", "GET /v1/audit/consistency", "GET /livez", "GET /readyz",
        "GET /metrics", "GET /openapi.json",
      ] { #expect(documented.contains(route), "\(route)") }

      // What is documented is there: without a token it asks for one, and with one it isn't missing.
      for route in documented {
        let parts = route.split(separator: " ").map(String.init)
        let path = parts[1].replacing("{id}", with: "01900000-0000-7000-8000-0000000000ff")
        let method = try #require(HTTPRequest.Method(parts[0]))
        let answer = try await caller.send(method, path, as: nil)
        let isOpen = !path.hasPrefix("/v1")
        #expect(answer.status == (isOpen ? .ok : .unauthorized), "\(route)")
      }
    }
  }

  @Test func itIsWellFormed() async throws {
    try await TestBank().test { caller in
      let document = try await Self.document(caller)
      #expect(try document["openapi"] == "3.1.0")
      let components = try Self.fields(Self.fields(document.root)["components"])
      let schemas = try Self.fields(components["schemas"])
      let headers = try Self.fields(components["headers"])
      var references: Set<String> = []
      Self.collect(document.root, &references)
      #expect(!references.isEmpty)
      for reference in references {
        let parts = reference.split(separator: "/").map(String.init)
        #expect(parts.count == 4 && (parts[2] == "headers" ? headers : schemas)[parts[3]] != nil, "\(reference)")
      }
      var ids: Set<String> = []
      for (path, item) in try Self.fields(Self.fields(document.root)["paths"]) {
        for (method, value) in try Self.fields(item) {
          let operation = try Self.fields(value)
          let id = try #require(try operation["operationId"]?.string())
          #expect(ids.insert(id).inserted, "\(id)")
          let parameters = try #require(try operation["parameters"]?.array())
          let inPath = try parameters.filter { try Self.fields($0)["in"]?.string() == "path" }
          #expect(inPath.count == path.split(separator: "{").count - 1, "\(path)")
          let responses = try Self.fields(operation["responses"])
          #expect(responses.keys.contains { $0.hasPrefix("2") }, "\(method) \(path)")
          #expect(responses["500"] != nil && responses["400"] != nil)
          if path.hasPrefix("/v1") {
            #expect(responses["401"] != nil && responses["403"] != nil && responses["503"] != nil)
          }
        }
      }
    }
  }

  private static func collect(_ value: JSONValue, _ references: inout Set<String>) {
    if let object = try? value.object() {
      for (name, value) in object {
        if name == "$ref", let text = try? value.string() { references.insert(text) }
        collect(value, &references)
      }
    } else if let array = try? value.array() {
      for element in array { collect(element, &references) }
    }
  }

  private static func responses(_ document: JSONText, _ method: String, _ path: String) throws -> [String: JSONValue] {
    let paths = try fields(fields(document.root)["paths"])
    return try fields(fields(fields(paths[path])[method])["responses"])
  }

  /// Fields that a client can't do without stand at every answer that has them.
  @Test func theHeadsOfAnswersAreInIt() async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      let document = try await Self.document(caller)
      let (account, key) = (ReadTests.savings, TestCaller.newID())
      try await caller.open(TestBank.alice, account: account, funds: 100)
      let overdraw = TestCaller.transfer(account, "01900000-0000-7000-8000-0000000ca5e0", 500)
      let verify = #"{"customer_id":"\#(TestBank.bob)"}"#
      let register = #"{"customer_id":"\#(TestBank.bob)","name":"B"}"#
      let head = bank.book.log.count
      let answers: [(method: String, path: String, answer: TestAnswer)] = [
        ("post", "/v1/commands/RegisterCustomer", try await caller.give("RegisterCustomer", register, key: key)),
        ("post", "/v1/commands/RegisterCustomer", try await caller.give("RegisterCustomer", register, key: key)),
        (
          "post", "/v1/commands/VerifyCustomer",
          try await caller.give("VerifyCustomer", verify, headers: [.prefer: "receipt"])
        ),
        (
          "post", "/v1/commands/SuspendCustomer",
          try await caller.give("SuspendCustomer", verify, headers: [.ifMatch: "\"9\""])
        ),
        ("post", "/v1/commands/PostTransfer", try await caller.give("PostTransfer", overdraw)),
        ("post", "/v1/commands/VerifyCustomer", try await caller.give("VerifyCustomer", verify, as: "bob")),
        ("get", "/v1/accounts/{id}", try await caller.get("/v1/accounts/\(account)")),
        ("get", "/v1/accounts/{id}", try await caller.get("/v1/accounts/\(TestCaller.newID())")),
        ("get", "/v1/accounts/{id}", try await caller.get("/v1/accounts/\(account)", as: "bob")),
        ("get", "/v1/accounts/{id}", try await caller.get("/v1/accounts/\(account)", as: nil)),
        ("get", "/v1/accounts/{id}", try await caller.get("/v1/accounts/\(account)?at_least=\(head + 999)")),
        ("get", "/v1/customers/{id}", try await caller.get("/v1/customers/\(TestBank.alice)")),
        ("get", "/v1/events", try await caller.get("/v1/events", headers: [.accept: "text/html"])),
        ("get", "/livez", try await caller.get("/livez", as: nil)),
      ]
      bank.book.fail(with: .databaseUnavailable("gone"))
      let away = ("get", "/v1/events", try await caller.get("/v1/events"))
      bank.book.fail(with: nil)

      let components = try Self.fields(Self.fields(document.root)["components"])
      let known = Set(try Self.fields(components["headers"]).keys)
      var seen: Set<String> = []
      for (method, path, answer) in answers + [away] {
        let response = try #require(
          try Self.responses(document, method, path)["\(answer.status.code)"], "\(path) \(answer.status)")
        let documented = try Self.fields(Self.fields(response)["headers"]).keys.map { $0.lowercased() }
        for name in known where answer.headers.contains(where: { $0.name.canonicalName == name.lowercased() }) {
          #expect(documented.contains(name.lowercased()), "\(method) \(path) \(answer.status): \(name)")
          seen.insert(name)
        }
      }
      // But for these, each was in one of the answers, so that this has looked at something.
      #expect(known.subtracting(seen) == ["Allow", "traceparent"])
      let notAllowed = try Self.fields(Self.fields(components["responses"])["MethodNotAllowed"])
      #expect(try Self.fields(notAllowed["headers"]).keys.contains("Allow"))
    }
  }

  @Test func whatTheLogAnswersIsInIt() async throws {
    try await TestBank().test { caller in
      let responses = try Self.responses(try await Self.document(caller), "get", "/v1/events")
      for (status, code) in [
        ("400", "invalid_header"), ("406", "not_acceptable"), ("409", "history_changed"),
        ("409", "position_not_reached"),
      ] {
        let description = try Self.fields(responses[status])["description"]?.string()
        #expect(description?.contains(code) == true, "\(status) \(code)")
      }
    }
  }

  /// Each command's example is taken as it stands, by every schema's own words too.
  @Test func theExamplesOfCommandsAreTaken() async throws {
    try await TestBank().test { caller in
      let paths = try Self.fields(Self.fields(try await Self.document(caller).root)["paths"])
      for name in Instruction.publicNames {
        let post = try Self.fields(Self.fields(paths["/v1/commands/\(name)"])["post"])
        let content = try Self.fields(Self.fields(Self.fields(post["requestBody"])["content"])["application/json"])
        let example = try #require(content["example"], "\(name)")
        let properties = try Self.fields(Self.fields(content["schema"])["properties"])
        #expect(Set(try Self.fields(example).keys).isSubset(of: properties.keys), "\(name)")
        let answer = try await caller.give(name, String(decoding: example.compactBytes, as: UTF8.self))
        #expect([201, 422].contains(answer.status.code), "\(name): \(answer.text)")
      }
      let batch = try Self.fields(Self.fields(paths["/v1/commands"])["post"])
      let content = try Self.fields(Self.fields(Self.fields(batch["requestBody"])["content"])["application/x-ndjson"])
      let line = String(decoding: try #require(content["example"]).compactBytes, as: UTF8.self)
      #expect(try await caller.batch([line]).lines[0]["code"] == "unknown_account")
    }
  }

  /// Where an empty text is refused, the schema says so.
  @Test func requiredReasonsAreNotEmpty() async throws {
    try await TestBank().test { caller in
      let paths = try Self.fields(Self.fields(try await Self.document(caller).root)["paths"])
      for name in ["EraseCustomer", "ReverseTransfer"] {
        let post = try Self.fields(Self.fields(paths["/v1/commands/\(name)"])["post"])
        let content = try Self.fields(Self.fields(Self.fields(post["requestBody"])["content"])["application/json"])
        let properties = try Self.fields(Self.fields(content["schema"])["properties"])
        #expect(try Self.fields(properties["reason"])["minLength"].map { $0.compactBytes } == Array("1".utf8))
      }
    }
  }

  /// A body with every field of a command's schema is taken, and one without a required field, or with a field more,
  /// isn't.
  @Test func theSchemasOfCommandsAreTrue() async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      let paths = try Self.fields(Self.fields(try await Self.document(caller).root)["paths"])
      #expect(Set(CommandExamples.bodies.keys) == Set(Instruction.publicNames))
      for name in Instruction.publicNames {
        let post = try Self.fields(Self.fields(paths["/v1/commands/\(name)"])["post"])
        let content = try Self.fields(Self.fields(Self.fields(post["requestBody"])["content"])["application/json"])
        let schema = try Self.fields(content["schema"])
        let properties = Set(try Self.fields(schema["properties"]).keys)
        let required = Set(try (schema["required"]?.array()).map { try $0.map { try $0.string() } } ?? [])
        let example = try JSONText(try #require(CommandExamples.bodies[name])).root
        let fields = try Self.fields(example)
        // Of an account, some fields are for customers' and some for internal ones.
        let missing = properties.subtracting(fields.keys)
        #expect(missing.isEmpty || name == "OpenAccount" && missing == ["customer_id"], "\(name): \(missing)")
        #expect(Set(fields.keys).isSubset(of: properties), "\(name)")

        let taken = try await caller.give(name, CommandExamples.bodies[name] ?? "")
        #expect([201, 422, 409].contains(taken.status.code), "\(name): \(taken.text)")
        for field in fields.keys {
          let answer = try await caller.give(name, Self.body(fields, without: field))
          // A limit's amount may be null and may not be left out; the rest of the schema's required fields likewise.
          let isRefused = answer.status == .badRequest
          if required.contains(field) { #expect(isRefused, "\(name) without \(field)") }
          if isRefused, !required.contains(field) {
            // What one field says may make another one necessary, which a schema of fields alone doesn't tell.
            let dependent = ["SetPolicy/currency", "OpenAccount/kind"]
            #expect(dependent.contains("\(name)/\(field)"), "\(answer.text)")
          }
        }
        let more = try await caller.give(name, Self.body(fields, with: "surprise"))
        #expect(more.status == .badRequest, "\(name)")
      }
    }
  }

  private static func body(_ fields: [String: JSONValue], without name: String = "", with other: String? = nil)
    -> String
  {
    var members = fields.filter { $0.key != name }.map {
      "\"\($0.key)\":\(String(decoding: $0.value.compactBytes, as: UTF8.self))"
    }
    if let other { members.append("\"\(other)\":1") }
    return "{\(members.joined(separator: ","))}"
  }
}
