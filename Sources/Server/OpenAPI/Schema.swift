import Ledger

/// A JSON Schema (draft 2020-12, which OpenAPI 3.1 uses), as far as the contract needs it.
indirect enum Schema: Hashable, Sendable {
  case string(format: String? = nil, pattern: String? = nil, minLength: Int? = nil, maxLength: Int? = nil)
  case choice([String])
  case constant(String)
  case integer(ClosedRange<Int64>)
  case boolean
  case array(Schema, ClosedRange<Int>? = nil)
  case object([Property], about: String? = nil)
  /// An object whose fields depend on what it is about.
  case anyObject(about: String)
  /// One of the document's components.
  case reference(String)
  case oneOf([Schema])
  case null

  static let uuid = Schema.string(format: "uuid")
  static let moment = Schema.string(format: "date-time")
  static let date = Schema.string(format: "date")

  struct Property: Hashable, Sendable {
    let name: String
    let schema: Schema
    let isRequired: Bool
    let about: String?

    init(_ name: String, _ schema: Schema, required: Bool = true, _ about: String? = nil) {
      self.name = name
      self.schema = schema
      self.isRequired = required
      self.about = about
    }
  }

  /// What a value must be, for the detail of a problem.
  var expectation: String {
    switch self {
    case .integer(let range): "an integer from \(range.lowerBound) to \(range.upperBound)"
    case .choice(let values): "one of \(values.joined(separator: ", "))"
    case .string(format: "date-time"?, _, _, _): "an RFC 3339 date-time"
    case .string(format: "date"?, _, _, _): "a date YYYY-MM-DD"
    case .string(format: "uuid"?, _, _, _): "a UUID"
    default: "not what it must be"
    }
  }

  func write(to json: inout JSONWriter, about: String? = nil) {
    json.beginObject()
    json.field("description", about)
    writeMembers(to: &json)
    json.endObject()
  }

  private func writeMembers(to json: inout JSONWriter) {
    switch self {
    case .string(let format, let pattern, let minLength, let maxLength):
      json.field("type", "string")
      json.field("format", format)
      json.field("pattern", pattern)
      json.field("minLength", integer: minLength)
      json.field("maxLength", integer: maxLength)
    case .choice(let values):
      json.field("type", "string")
      Schema.list("enum", values, to: &json)
    case .constant(let value):
      json.field("type", "string")
      json.field("const", value)
    case .integer(let range):
      json.field("type", "integer")
      json.field("format", "int64")
      json.field("minimum", integer: range.lowerBound)
      json.field("maximum", integer: range.upperBound)
    case .boolean: json.field("type", "boolean")
    case .array(let element, let counts):
      json.field("type", "array")
      json.key("items")
      element.write(to: &json)
      json.field("minItems", integer: counts?.lowerBound)
      json.field("maxItems", integer: counts?.upperBound)
    case .object(let properties, let about): writeObject(properties, about, to: &json)
    case .anyObject(let about):
      json.field("type", "object")
      json.field("description", about)
      json.field("additionalProperties", true)
    case .reference(let name): json.field("$ref", "#/components/schemas/\(name)")
    case .oneOf(let schemas):
      json.key("oneOf")
      json.beginArray()
      for schema in schemas { schema.write(to: &json) }
      json.endArray()
    case .null: json.field("type", "null")
    }
  }

  private func writeObject(_ properties: [Property], _ about: String?, to json: inout JSONWriter) {
    json.field("type", "object")
    json.field("description", about)
    json.key("properties")
    json.beginObject()
    for property in properties {
      json.key(property.name)
      property.schema.write(to: &json, about: property.about)
    }
    json.endObject()
    let required = properties.filter(\.isRequired).map(\.name)
    if !required.isEmpty { Schema.list("required", required, to: &json) }
    json.field("additionalProperties", false)
  }

  private static func list(_ key: StaticString, _ values: [String], to json: inout JSONWriter) {
    json.key(key)
    json.beginArray()
    for value in values { json.string(value) }
    json.endArray()
  }
}
