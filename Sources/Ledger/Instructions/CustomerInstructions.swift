/// Makes a person or company known to the bank. Nothing can be opened for it before it is verified.
public struct RegisterCustomer: InstructionContent {
  public static let name: StaticString = "RegisterCustomer"

  public var customerID: CustomerID
  public var name: PersonalText
  /// `YYYY-MM-DD`.
  public var dateOfBirth: PersonalText?
  /// ISO 3166-1 alpha-2 country of residence, in capitals.
  public var country: String?

  public init(
    customerID: CustomerID, name: PersonalText, dateOfBirth: PersonalText? = nil, country: String? = nil
  ) {
    self.customerID = customerID
    self.name = name
    self.dateOfBirth = dateOfBirth
    self.country = country
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    let identity = try object.required("customer_id")
    customerID = try identity.identifier()
    // The book's own key stands under the nil UUID.
    if context.source == .client, customerID == .zero { throw identity.fault("must not be the nil UUID") }
    let nameValue = try object.required("name")
    name = try nameValue.personalText(in: context, maxLength: FieldLimit.name)
    guard name.clearText != "" else { throw nameValue.fault("must not be empty") }
    if let value = try object.optional("date_of_birth") {
      let text = try value.personalText(in: context, maxLength: FieldLimit.code)
      if text.clearText != nil { _ = try value.date() }
      dateOfBirth = text
    }
    if let value = try object.optional("country") {
      let code = try value.string(maxLength: FieldLimit.code)
      guard code.utf8.count == 2, code.utf8.allSatisfy({ (0x41...0x5A).contains($0) }) else {
        throw value.fault("must be an ISO 3166-1 alpha-2 code in capitals")
      }
      if context.source == .client, !CountryCode.isAssigned(code) {
        throw value.fault("is no country's code in ISO 3166-1")
      }
      country = code
    }
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("customer_id", customerID)
    writer.field("name", personal: name)
    writer.field("date_of_birth", personal: dateOfBirth)
    writer.json.field("country", country)
  }
}

/// The customer's identity has been checked: accounts may be opened and money may move. Also lifts a suspension.
public struct VerifyCustomer: InstructionContent {
  public static let name: StaticString = "VerifyCustomer"
  public var customerID: CustomerID

  public init(customerID: CustomerID) { self.customerID = customerID }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    customerID = try object.required("customer_id").identifier()
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("customer_id", customerID)
  }
}

/// The customer's identity could not be established.
public struct RejectCustomer: InstructionContent {
  public static let name: StaticString = "RejectCustomer"
  public var customerID: CustomerID
  public var reason: PersonalText?

  public init(customerID: CustomerID, reason: PersonalText? = nil) {
    self.customerID = customerID
    self.reason = reason
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    customerID = try object.required("customer_id").identifier()
    reason = try object.personalText("reason", in: context)
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("customer_id", customerID)
    writer.field("reason", personal: reason)
  }
}

/// Stops all money of a customer from moving until it is verified again.
public struct SuspendCustomer: InstructionContent {
  public static let name: StaticString = "SuspendCustomer"
  public var customerID: CustomerID
  public var reason: PersonalText?

  public init(customerID: CustomerID, reason: PersonalText? = nil) {
    self.customerID = customerID
    self.reason = reason
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    customerID = try object.required("customer_id").identifier()
    reason = try object.personalText("reason", in: context)
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("customer_id", customerID)
    writer.field("reason", personal: reason)
  }
}

/// Erases who a customer was: the key that its personal text is sealed under is deleted, for ever. What it did stays,
/// under its id.
public struct EraseCustomer: InstructionContent {
  public static let name: StaticString = "EraseCustomer"
  public var customerID: CustomerID
  /// Why, without a word about the person: it outlives the customer's key, so it is sealed under the book's.
  public var reason: PersonalText

  public init(customerID: CustomerID, reason: PersonalText) {
    self.customerID = customerID
    self.reason = reason
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    customerID = try object.required("customer_id").identifier()
    let value = try object.required("reason")
    reason = try value.personalText(in: context)
    guard reason.clearText != "" else { throw value.fault("must not be empty") }
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("customer_id", customerID)
    writer.field("reason", personal: reason)
  }
}
