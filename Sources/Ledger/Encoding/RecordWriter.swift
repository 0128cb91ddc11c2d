/// Writes the fields of commands and events: a JSON writer that knows in which form personal text is wanted.
public struct RecordWriter {
  public var json: JSONWriter
  public let form: PersonalTextForm
  /// The first failure of the vault, kept so that writing stays straight-line; whoever began the record looks at it at
  /// the end.
  public private(set) var failure: (any Error)?
  /// Whether a text was met that was erased before it was written.
  public private(set) var metErased = false

  public init(reserving capacity: Int = 256, form: PersonalTextForm = .asHeld) {
    json = JSONWriter(reserving: capacity)
    self.form = form
  }

  public mutating func field(_ key: StaticString, _ reference: AccountReference) {
    json.key(key)
    switch reference {
    case .id(let id): json.identifier(id)
    case .number(let number): json.string(number.description)
    }
  }

  /// Writes personal text in the form this writer was made for; a withheld or erased text is written as an object that
  /// says so.
  public mutating func field(_ key: StaticString, personal text: PersonalText?) {
    guard let text else { return }
    json.key(key)
    do {
      switch (form, text.content) {
      case (.withheld, _): marker("withheld")
      case (.clear, .erased):
        metErased = true
        marker("erased")
      case (_, .erased): erased(text.subject)
      case (.sealed(let vault), .clear(let clear)):
        sealed(try vault.seal(clear, subject: text.subject, field: key), subject: text.subject)
      case (.clear(let vault), .sealed(let bytes)):
        if let clear = try vault.open(bytes, subject: text.subject, field: key) {
          json.string(clear)
        } else {
          marker("erased")
        }
      case (_, .clear(let clear)): json.string(clear)
      case (_, .sealed(let bytes)): sealed(bytes, subject: text.subject)
      }
    } catch is SubjectErased {
      erased(text.subject)
    } catch {
      failure = failure ?? error
      json.null()
    }
  }

  private mutating func marker(_ name: StaticString) {
    json.beginObject()
    json.field(name, true)
    json.endObject()
  }

  /// For the log: whose text it was stays.
  private mutating func erased(_ subject: Identifier) {
    metErased = true
    json.beginObject()
    if subject != .zero { json.field("subject", subject) }
    json.field("erased", true)
    json.endObject()
  }

  private mutating func sealed(_ bytes: [UInt8], subject: Identifier) {
    json.beginObject()
    json.field("subject", subject)
    json.field("sealed", Base64.encode(bytes))
    json.endObject()
  }
}

extension JSONValue {
  /// Personal text as a client sends it (a string) or as the log keeps it (sealed, with its subject).
  public func personalText(
    in context: ReadingContext, maxLength: Int = FieldLimit.text
  ) throws(JSONFault) -> PersonalText {
    guard context.source == .log, kind == .object else { return PersonalText(try string(maxLength: maxLength)) }
    var object = try object()
    let subject = try object.optional("subject")?.identifier()
    if try object.optional("erased")?.bool() == true {
      try object.finish()
      return PersonalText(subject: subject ?? .zero, content: .erased)
    }
    guard let subject else { throw fault("is neither sealed nor erased") }
    let sealed = try object.required("sealed")
    guard let bytes = Base64.decode(try sealed.string()) else { throw sealed.fault("is not base64") }
    try object.finish()
    return PersonalText(subject: subject, content: .sealed(bytes))
  }

  /// An account's id or its account number.
  public func accountReference() throws(JSONFault) -> AccountReference {
    if let id = identifierIfAny { return .id(id) }
    do {
      return .number(try accountNumber())
    } catch {
      guard error.reason == AccountNumberFault.malformed.reason else { throw error }
      let numbers = error.reason.dropFirst("must be ".count)
      throw fault("must be an account's id, which is a UUID, or its number: \(numbers)")
    }
  }

  /// One of an enumeration's raw values.
  public func choice<Choice: RawRepresentable & CaseIterable>(_: Choice.Type) throws(JSONFault) -> Choice
  where Choice.RawValue == String {
    let text = try string(maxLength: FieldLimit.code)
    guard let choice = Choice(rawValue: text) else {
      let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw fault("is none of: \(known)")
    }
    return choice
  }

  /// A positive amount of money, in minor units.
  public func amount() throws(JSONFault) -> MinorUnits {
    let amount = try minorUnits()
    guard amount > 0 else { throw fault("must be greater than zero") }
    return amount
  }
}
