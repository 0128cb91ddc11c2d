import HTTPTypes
import Ledger

/// The contract as an OpenAPI 3.1 document, made from the routes themselves.
struct OpenAPIDocument {
  let routes: [Route]
  let version: String

  /// The whole document as JSON.
  func bytes() -> [UInt8] {
    var json = JSONWriter(reserving: 262_144)
    json.beginObject()
    json.field("openapi", "3.1.0")
    info(&json)
    json.key("servers")
    json.beginArray()
    json.beginObject()
    json.field("url", "/")
    json.endObject()
    json.endArray()
    tags(&json)
    paths(&json)
    components(&json)
    json.endObject()
    return json.bytes
  }

  private func info(_ json: inout JSONWriter) {
    json.key("info")
    json.beginObject()
    json.field("title", "Kauri")
    json.field("version", version)
    json.field(
      "description",
      """
      The core of a bank. Amounts are integers of minor units, written as strings; times are RFC 3339; ids are UUIDs \
      of the client's choice, version 7 advised. Every change is a command with an Idempotency-Key: the same key, caller \
      and content are answered with the first outcome again, for ever. Errors are problem documents of RFC 9457 with a \
      stable code. A path asked with a method that it doesn't have answers 405 with Allow; HEAD is taken where GET is.
      """)
    json.key("license")
    json.beginObject()
    json.field("name", "Apache License 2.0")
    json.field("identifier", "Apache-2.0")
    json.endObject()
    json.endObject()
  }

  private func tags(_ json: inout JSONWriter) {
    json.key("tags")
    json.beginArray()
    for tag in Operation.Tag.allCases {
      json.beginObject()
      json.field("name", tag.rawValue)
      json.field("description", tag.about)
      json.endObject()
    }
    json.endArray()
  }

  private func paths(_ json: inout JSONWriter) {
    json.key("paths")
    json.beginObject()
    var order: [String] = []
    for route in routes where route.operation != nil && !order.contains(route.path) { order.append(route.path) }
    for path in order {
      json.key(path)
      json.beginObject()
      for route in routes where route.path == path {
        guard let operation = route.operation else { continue }
        json.key(route.method.rawValue.lowercased())
        write(route, operation, to: &json)
      }
      json.endObject()
    }
    json.endObject()
  }

  private func write(_ route: Route, _ operation: Operation, to json: inout JSONWriter) {
    json.beginObject()
    json.field("operationId", operation.id)
    json.field("summary", operation.summary)
    json.key("tags")
    json.beginArray()
    json.string(operation.tag.rawValue)
    json.endArray()
    parameters(route, operation, to: &json)
    if let body = operation.body {
      json.key("requestBody")
      json.beginObject()
      json.field("required", true)
      contents([body], to: &json)
      json.endObject()
    }
    json.key("responses")
    json.beginObject()
    for answer in [operation.success] + operation.otherAnswers { success(answer, to: &json) }
    problems(route, operation, to: &json)
    json.endObject()
    json.key("security")
    json.beginArray()
    if case .roles = route.access {
      json.beginObject()
      json.key("bearer")
      json.beginArray()
      json.endArray()
      json.endObject()
    }
    json.endArray()
    json.endObject()
  }

  private func parameters(_ route: Route, _ operation: Operation, to json: inout JSONWriter) {
    json.key("parameters")
    json.beginArray()
    if let parameter = operation.parameter {
      self.parameter(parameter.name, "path", required: true, parameter.about, parameter.schema, to: &json)
    }
    for parameter in route.query {
      self.parameter(
        parameter.name, "query", required: parameter.isRequired, parameter.about, parameter.schema, to: &json)
    }
    for header in operation.headers {
      parameter(
        header.name, "header", required: operation.requiredHeaders.contains(header.name), header.about, header.schema,
        to: &json)
    }
    json.endArray()
  }

  private func parameter(
    _ name: String, _ place: String, required: Bool, _ about: String, _ schema: Schema, to json: inout JSONWriter
  ) {
    json.beginObject()
    json.field("name", name)
    json.field("in", place)
    json.field("required", required)
    json.field("description", about)
    json.key("schema")
    schema.write(to: &json)
    json.endObject()
  }

  private func contents(_ contents: [Operation.Content], to json: inout JSONWriter) {
    json.key("content")
    json.beginObject()
    for content in contents {
      json.key(content.type)
      json.beginObject()
      json.key("schema")
      content.schema.write(to: &json)
      if let example = content.example { json.field("example", raw: Array(example.utf8)) }
      json.endObject()
    }
    json.endObject()
  }

  private func headers(_ headers: [AnswerHeader], to json: inout JSONWriter) {
    json.key("headers")
    json.beginObject()
    for header in headers + AnswerHeader.ofEveryAnswer {
      json.key(header.rawValue)
      json.beginObject()
      json.field("$ref", "#/components/headers/\(header.rawValue)")
      json.endObject()
    }
    json.endObject()
  }

  private func success(_ answer: Operation.Success, to json: inout JSONWriter) {
    json.key(String(answer.status))
    json.beginObject()
    json.field("description", answer.about)
    headers((answer.hasPosition ? [.logPosition] : []) + answer.headers, to: &json)
    contents(answer.contents, to: &json)
    json.endObject()
  }

  /// Problems by their status; the codes that each may have are told in its description.
  private func problems(_ route: Route, _ operation: Operation, to json: inout JSONWriter) {
    var codes = operation.problems + [.uriTooLong, .headersTooLarge, .invalidParameter, .internalError]
    if route.isBounded { codes += [.overloaded] }
    if case .roles = route.access { codes += [.unauthenticated, .forbidden, .tooManyRequests, .shuttingDown] }
    let taken = Set(([operation.success] + operation.otherAnswers).map(\.status))
    let groups = Dictionary(grouping: Set(codes), by: \.status.code)
    for (status, codes) in groups.sorted(by: { $0.key < $1.key }) where !taken.contains(status) {
      let names = codes.map(\.rawValue).sorted()
      let isDecline = status == 422 && operation.decline != nil
      let about = "`code` is \(names.joined(separator: ", "))\(isDecline ? ", or why the command was declined" : "")."
      let problem = Schema.reference("Problem")
      let schema: Schema =
        if let decline = operation.decline, status == 422 || status == 403 { .oneOf([decline, problem]) } else {
          problem
        }
      json.key(String(status))
      json.beginObject()
      json.field("description", about)
      headers(headers(status, codes, operation), to: &json)
      contents([Operation.Content(type: Problem.contentType, schema: schema)], to: &json)
      json.endObject()
    }
  }

  /// What the head of a problem may have.
  private func headers(_ status: Int, _ codes: [ProblemCode], _ operation: Operation) -> [AnswerHeader] {
    var headers: [AnswerHeader] = []
    let isDecline = operation.decline != nil && (status == 422 || status == 403)
    let isOfAPosition = codes.contains { [.notFound, .forbidden, .positionNotReached].contains($0) }
    if isDecline || operation.success.hasPosition && isOfAPosition { headers.append(.logPosition) }
    if isDecline { headers += [.idempotencyReplayed, .preferenceApplied] }
    if codes.contains(.versionConflict) { headers.append(.eTag) }
    if codes.contains(where: { $0.retryAfter != nil }) { headers.append(.retryAfter) }
    if codes.contains(.unauthenticated) { headers.append(.wwwAuthenticate) }
    return headers
  }

  private func components(_ json: inout JSONWriter) {
    json.key("components")
    json.beginObject()
    json.key("securitySchemes")
    json.beginObject()
    json.key("bearer")
    json.beginObject()
    json.field("type", "http")
    json.field("scheme", "bearer")
    json.field("bearerFormat", "JWT")
    json.field(
      "description",
      "Signed with EdDSA or ES256; claims sub, role (customer, operator, service, auditor), iss, aud, exp.")
    json.endObject()
    json.endObject()
    json.key("headers")
    json.beginObject()
    for header in AnswerHeader.allCases {
      json.key(header.rawValue)
      json.beginObject()
      json.field("description", header.about)
      json.key("schema")
      header.schema.write(to: &json)
      json.endObject()
    }
    json.endObject()
    methodNotAllowed(&json)
    json.key("schemas")
    json.beginObject()
    for (name, schema) in AnswerSchemas.components {
      json.key(name)
      schema.write(to: &json)
    }
    json.endObject()
    json.endObject()
  }

  /// What no operation answers, for it is what a path answers to the methods that it doesn't have.
  private func methodNotAllowed(_ json: inout JSONWriter) {
    json.key("responses")
    json.beginObject()
    json.key("MethodNotAllowed")
    json.beginObject()
    json.field("description", "`code` is \(ProblemCode.methodNotAllowed.rawValue): any other method of a path here.")
    headers([.allow], to: &json)
    contents([Operation.Content(type: Problem.contentType, schema: .reference("Problem"))], to: &json)
    json.endObject()
    json.endObject()
  }
}
