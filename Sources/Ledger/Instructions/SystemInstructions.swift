/// Opens the book: the log's first command. Only Kauri itself gives it.
public struct OpenBook: InstructionContent {
  public static let name: StaticString = "OpenBook"

  public var bookID: Identifier
  /// IANA name; the day of limits and statements is this zone's calendar day.
  public var timeZone: String
  public var currency: Currency
  public var policies: Policies
  public var ruleSet: Int

  public init(bookID: Identifier, timeZone: String, currency: Currency, policies: Policies, ruleSet: Int) {
    self.bookID = bookID
    self.timeZone = timeZone
    self.currency = currency
    self.policies = policies
    self.ruleSet = ruleSet
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    bookID = try object.required("book_id").identifier()
    timeZone = try object.required("time_zone").nonEmptyString(maxLength: FieldLimit.code)
    currency = try object.required("currency").currency()
    ruleSet = Int(try object.required("rule_set").integer(in: 1...Int64(Int32.max)))
    policies = Policies()
    for value in try object.required("policies").array() {
      var change = try value.object()
      policies.apply(try PolicyChange(from: &change))
      try change.finish()
    }
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("book_id", bookID)
    writer.json.field("time_zone", timeZone)
    writer.json.field("currency", currency)
    writer.json.field("rule_set", integer: Int64(ruleSet))
    writer.json.key("policies")
    writer.json.beginArray()
    for change in policies.changes {
      writer.json.beginObject()
      change.write(to: &writer)
      writer.json.endObject()
    }
    writer.json.endArray()
  }
}

/// A person of the bank is about to see a customer's data: recorded before it is shown.
public struct RecordDataRead: InstructionContent {
  public static let name: StaticString = "RecordDataRead"
  public var customerID: CustomerID
  /// What was asked for, as method and route: `GET /v1/accounts/{id}/entries`.
  public var resource: String
  /// The id in the route, where it isn't the customer's own.
  public var objectID: Identifier?

  public init(customerID: CustomerID, resource: String, objectID: Identifier? = nil) {
    self.customerID = customerID
    self.resource = resource
    self.objectID = objectID
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    customerID = try object.required("customer_id").identifier()
    resource = try object.required("resource").nonEmptyString(maxLength: FieldLimit.text)
    objectID = try object.optional("object_id")?.identifier()
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("customer_id", customerID)
    writer.json.field("resource", resource)
    writer.json.field("object_id", objectID)
  }
}

/// Somebody known asked for something that isn't theirs to see or do, and was refused.
public struct RecordRefusal: InstructionContent {
  public static let name: StaticString = "RecordRefusal"
  /// What was asked for, as method and route.
  public var resource: String
  /// The id in the route, where there is one.
  public var objectID: Identifier?

  public init(resource: String, objectID: Identifier? = nil) {
    self.resource = resource
    self.objectID = objectID
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    resource = try object.required("resource").nonEmptyString(maxLength: FieldLimit.text)
    objectID = try object.optional("object_id")?.identifier()
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("resource", resource)
    writer.json.field("object_id", objectID)
  }
}
