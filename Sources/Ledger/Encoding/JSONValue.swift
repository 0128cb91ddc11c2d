/// What a JSON value is.
public enum JSONKind: Sendable {
  case null, boolean, number, string, array, object
}

/// A value in a document. Reading it as something that it isn't is a fault which points to it.
public struct JSONValue: Sendable {
  let tape: JSONTape
  let index: UInt32
  let root: UInt32
  let base: UInt32

  init(tape: JSONTape, index: UInt32, root: UInt32, base: UInt32) {
    self.tape = tape
    self.index = index
    self.root = root
    self.base = base
  }

  var token: JSONToken { tape.tokens[Int(index)] }

  public var kind: JSONKind {
    switch token.kind {
    case .null: .null
    case .boolean: .boolean
    case .number: .number
    case .string, .name: .string
    case .array: .array
    case .object: .object
    }
  }

  public var isNull: Bool { token.isKind(.null) }

  /// The fault that this value has for a reader who knows better than the grammar.
  public func fault(_ reason: String) -> JSONFault {
    JSONFault(pointer: pointer, offset: rawRange.lowerBound - Int(base), reason: reason)
  }

  /// The place of this value in its document, as a JSON pointer.
  public var pointer: String {
    tape.pointer(to: Int(index), from: Int(root))
  }

  /// The bytes of this value exactly as they are in the document.
  public var rawBytes: ArraySlice<UInt8> { tape.bytes[rawRange] }

  private var rawRange: Range<Int> {
    let token = token
    return token.isKind(.string) ? token.range.lowerBound - 1..<token.range.upperBound + 1 : token.range
  }
}

extension JSONValue {
  /// The fields of an object.
  public func object() throws(JSONFault) -> JSONObject {
    guard token.isKind(.object) else { throw fault("must be an object") }
    return JSONObject(self)
  }

  /// The elements of an array.
  public func array() throws(JSONFault) -> JSONArray {
    guard token.isKind(.array) else { throw fault("must be an array") }
    return JSONArray(self)
  }

  public func bool() throws(JSONFault) -> Bool {
    let token = token
    guard token.isKind(.boolean) else { throw fault("must be true or false") }
    return token.flag
  }

  /// A string of at most `maximumLength` Unicode scalars.
  public func string(maxLength: Int = .max) throws(JSONFault) -> String {
    let token = token
    guard token.isKind(.string) else { throw fault("must be a string") }
    guard token.count <= maxLength else { throw fault("must have at most \(maxLength) characters") }
    return tape.text(of: token)
  }

  /// A UUID.
  public func identifier() throws(JSONFault) -> Identifier {
    guard let value = identifierIfAny else { throw fault("must be a UUID") }
    return value
  }

  /// The UUID that this is, or nil: for a field that may also hold something else.
  public var identifierIfAny: Identifier? { withText { Identifier(utf8: $0) } }

  /// An RFC 3339 date-time.
  public func moment() throws(JSONFault) -> Moment {
    switch withText({ Moment.parse(utf8: $0) }) ?? .failure(.malformed) {
    case .success(let value): return value
    case .failure(let problem): throw fault(problem.reason)
    }
  }

  /// A date `YYYY-MM-DD`.
  public func date() throws(JSONFault) -> CalendarDate {
    guard let value = withText({ CalendarDate(utf8: $0) }) else {
      throw fault("must be a date of the calendar, such as 2026-11-22")
    }
    return value
  }

  /// An ISO 4217 alphabetic code.
  public func currency() throws(JSONFault) -> Currency {
    guard let value = withText({ Currency(utf8: $0) }) else {
      throw fault("must be an ISO 4217 currency code, such as NZD")
    }
    return value
  }

  /// A New Zealand or Australian account number.
  public func accountNumber() throws(JSONFault) -> AccountNumber {
    switch withText({ AccountNumber.parse($0) }) ?? .failure(.malformed) {
    case .success(let value): return value
    case .failure(let problem): throw fault(problem.reason)
    }
  }

  /// Runs `body` on the text of a string, its escapes undone; nil for another kind of value.
  @inline(__always)
  private func withText<Result>(_ body: (UnsafeRawBufferPointer) -> Result?) -> Result? {
    let token = token
    guard token.isKind(.string) else { return nil }
    return token.flag ? tape.unescaped(token).withUnsafeBytes(body) : tape.withBytes(token.range, body)
  }
}

extension JSONValue {
  /// An integer that fits `Int64`, written as a JSON number without fraction or exponent; `-0` is refused.
  public func int64() throws(JSONFault) -> Int64 {
    let token = token
    guard token.isKind(.number), !token.flag else { throw fault("must be an integer") }
    return try integer(tape.withBytes(token.range, Decimal.parse))
  }

  /// An amount of money in minor units: an integer as `int64()` takes it, or a string of the same form, without leading
  /// zeros, plus sign or spaces.
  public func minorUnits() throws(JSONFault) -> MinorUnits {
    let token = token
    if token.isKind(.number), !token.flag { return try integer(tape.withBytes(token.range, Decimal.parse)) }
    guard let parsed = withText({ Decimal.parse($0) }) else {
      throw fault("must be an integer of minor units, as a string or a number")
    }
    return try integer(parsed)
  }

  private func integer(_ parsed: Result<Int64, Decimal.Fault>) throws(JSONFault) -> Int64 {
    switch parsed {
    case .success(let value): return value
    case .failure(.malformed): throw fault("must be an integer of decimal digits, without leading zeros")
    case .failure(.outOfRange): throw fault("must fit 64 bits: from \(Int64.min) to \(Int64.max)")
    }
  }
}
