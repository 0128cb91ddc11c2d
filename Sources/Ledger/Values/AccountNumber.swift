/// The number by which people and other banks know an account, in New Zealand's form or Australia's.
///
/// `AccountNumber(_:)` is the way from outside: it checks everything that can be checked without a register of
/// branches. Two numbers that mean the same account are equal, however they were written, and `description` is their
/// one form.
public enum AccountNumber: Hashable, Sendable {
  /// Bank (2 digits), branch (4), account base (7), suffix (2 or 3; two digits equal the three with a zero before
  /// them).
  case newZealand(bank: UInt8, branch: UInt16, base: UInt32, suffix: UInt16)
  /// The bank, state and branch number (6 digits) and the account's own, two to nine digits. Zeros at its front are
  /// part of it, as in the direct entry file format of the Australian Payments Network.
  case australia(bsb: UInt32, account: String)
}

/// Why a text isn't an account number.
public enum AccountNumberFault: Error, Hashable, Sendable {
  /// Neither New Zealand's form nor Australia's.
  case malformed
  /// No New Zealand bank has this number.
  case unknownBank
  /// The branch is outside the ranges allotted to its bank.
  case unknownBranch
  /// The check digit of the New Zealand number is wrong.
  case checkDigit
  /// A part that can't be all zeros is: the BSB or the account of an Australian number.
  case zero

  /// What to tell the person who sent the text.
  public var reason: String {
    switch self {
    case .malformed:
      "must be a New Zealand account number such as 02-0500-0123456-00 or an Australian one such as 062-000 12345678"
    case .unknownBank: "names a bank that New Zealand doesn't have"
    case .unknownBranch: "names a branch outside its bank's range"
    case .checkDigit: "has a wrong check digit"
    case .zero: "must not have a BSB or an account of zeros only"
    }
  }
}

extension AccountNumber: CustomStringConvertible {
  /// Reads an account number. The parts stand apart by one hyphen or one space each, or not at all:
  ///
  /// - New Zealand: `02-0500-0123456-00`, `02 0500 0123456 000`, `020500012345600`.
  /// - Australia: `062-000 12345678`, `062000 12345678`, `062-000-12345678`, `06200012345678`. A BSB and a nine-digit
  ///   account without any separator have as many digits as a New Zealand number and are read as one.
  ///
  /// - Throws: which of the rules the text breaks. A New Zealand number has to name a bank and branch in the ranges
  ///   that `NewZealandCheck` lists and satisfy its check digit. Australian numbers have no common check digit, so
  ///   beyond their form only zeros are refused; whether a BSB is in use is known to the network's register alone.
  public init(_ text: String) throws(AccountNumberFault) {
    var text = text
    let parsed = text.withUTF8 { AccountNumber.parse(UnsafeRawBufferPointer($0)) }
    self = try parsed.get()
  }

  /// As `init(_:)`, from the text's bytes.
  public init(utf8 text: UnsafeRawBufferPointer) throws(AccountNumberFault) {
    self = try AccountNumber.parse(text).get()
  }

  /// `02-0500-0123456-00`, with a third digit in the suffix only where it needs one, or `062-000 12345678`.
  public var description: String {
    switch self {
    case .newZealand(let bank, let branch, let base, let suffix):
      "\(Self.padded(bank, 2))-\(Self.padded(branch, 4))-\(Self.padded(base, 7))-\(Self.padded(suffix, 2))"
    case .australia(let bsb, let account):
      "\(Self.padded(bsb / 1000, 3))-\(Self.padded(bsb % 1000, 3)) \(account)"
    }
  }

  /// The longest accepted text: a New Zealand number with separators and a suffix of three digits.
  private static let maximumTextLength = 19

  static func parse(_ text: UnsafeRawBufferPointer) -> Result<AccountNumber, AccountNumberFault> {
    guard text.count <= maximumTextLength else { return .failure(.malformed) }
    // The lengths of the groups of digits, a byte each, the last group in the lowest byte.
    var shape: UInt64 = 0
    var count = 0
    var number: UInt64 = 0
    for byte in text {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        // Nineteen digits are below 2^64.
        number = number * 10 + UInt64(byte - UInt8(ascii: "0"))
        shape += 1
        count += 1
      case UInt8(ascii: "-"), UInt8(ascii: " "):
        guard shape & 0xFF != 0 else { return .failure(.malformed) }
        shape <<= 8
      default: return .failure(.malformed)
      }
    }
    switch shape {
    case 15, 16, 0x02_04_07_02, 0x02_04_07_03: return newZealand(number, count)
    default: break
    }
    // An Australian number without any separator must be shorter than a New Zealand one.
    let longestAccount = shape < 0x100 ? 8 : 9
    switch shape >> 8 {
    case 0, 0x03, 0x06, 0x03_03:
      guard (8...6 + longestAccount).contains(count) else { return .failure(.malformed) }
      return australia(number, accountLength: count - 6)
    default: return .failure(.malformed)
    }
  }

  private static func newZealand(_ number: UInt64, _ count: Int) -> Result<AccountNumber, AccountNumberFault> {
    let (front, suffix) = number.quotientAndRemainder(dividingBy: count == 15 ? 100 : 1000)
    let (bankAndBranch, base) = front.quotientAndRemainder(dividingBy: 10_000_000)
    let (bank, branch) = bankAndBranch.quotientAndRemainder(dividingBy: 10_000)
    if let fault = NewZealandCheck.fault(bank: bank, branch: branch, base: base, suffix: suffix) {
      return .failure(fault)
    }
    return .success(
      .newZealand(
        bank: UInt8(truncatingIfNeeded: bank), branch: UInt16(truncatingIfNeeded: branch),
        base: UInt32(truncatingIfNeeded: base), suffix: UInt16(truncatingIfNeeded: suffix)))
  }

  private static func australia(
    _ number: UInt64, accountLength: Int
  ) -> Result<AccountNumber, AccountNumberFault> {
    var unit: UInt64 = 1
    for _ in 0..<accountLength { unit *= 10 }
    let (bsb, account) = number.quotientAndRemainder(dividingBy: unit)
    guard bsb != 0, account != 0 else { return .failure(.zero) }
    return .success(
      .australia(bsb: UInt32(truncatingIfNeeded: bsb), account: padded(account, accountLength)))
  }

  /// The decimal digits of a value, with zeros before it up to a width.
  private static func padded(_ value: some BinaryInteger, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
