/// An amount of money in the smallest unit that its currency is written in: cents for NZD and AUD, yen for JPY.
/// `Currency.minorUnitDigits` says where the decimal point of a printed amount goes.
public typealias MinorUnits = Int64

/// A currency, by its alphabetic code in ISO 4217.
///
/// A value always holds a code of the active list that the ISO 4217 maintenance agency publishes (SIX Group, list one,
/// edition of 1 January 2026), for which that list gives a minor unit. Metals, special drawing rights, bond market
/// units, `XTS` and `XXX` have none ("N.A."): an integer of minor units can't state an amount of them, so they are
/// refused here.
@frozen
public struct Currency: Hashable, Sendable {
  /// The three letters, the first one in bits 16 to 23. Also what `Comparable` and storage order by.
  public let packed: UInt32

  @usableFromInline
  init(unchecked packed: UInt32) {
    self.packed = packed
  }

  public static let nzd = Currency(unchecked: 0x4E_5A_44)
  public static let aud = Currency(unchecked: 0x41_55_44)
  public static let usd = Currency(unchecked: 0x55_53_44)
  public static let eur = Currency(unchecked: 0x45_55_52)
  public static let gbp = Currency(unchecked: 0x47_42_50)
  public static let jpy = Currency(unchecked: 0x4A_50_59)
}

extension Currency {
  /// The currency of a packed code, as `packed` gives it; nil when the list has no such code.
  public init?(packed: UInt32) {
    guard Currency.listedDigits(of: packed) != nil else { return nil }
    self.packed = packed
  }

  /// The currency of an alphabetic code, three capital letters; nil when the list has no such code.
  public init?(_ code: String) {
    var code = code
    guard let value = code.withUTF8({ Currency(utf8: UnsafeRawBufferPointer($0)) }) else { return nil }
    self = value
  }

  /// As `init(_:)`, from the code's bytes.
  public init?(utf8 code: UnsafeRawBufferPointer) {
    guard code.count == 3 else { return nil }
    self.init(packed: UInt32(code[0]) << 16 | UInt32(code[1]) << 8 | UInt32(code[2]))
  }

  /// The alphabetic code, such as `NZD`.
  public var code: String {
    String(unsafeUninitializedCapacity: 3) { buffer in
      buffer[0] = UInt8(truncatingIfNeeded: packed >> 16)
      buffer[1] = UInt8(truncatingIfNeeded: packed >> 8)
      buffer[2] = UInt8(truncatingIfNeeded: packed)
      return 3
    }
  }

  /// How many decimal places an amount has: 2 for NZD, 0 for JPY, 3 for KWD.
  public var minorUnitDigits: Int {
    Currency.listedDigits(of: packed) ?? 2
  }

  /// The list, sorted by code: three letters and the number of digits after the decimal point.
  private static let list: StaticString = """
    AED2AFN2ALL2AMD2AOA2ARS2AUD2AWG2AZN2BAM2BBD2BDT2BHD3BIF0BMD2BND2BOB2BOV2BRL2BSD2BTN2BWP2BYN2BZD2\
    CAD2CDF2CHE2CHF2CHW2CLF4CLP0CNY2COP2COU2CRC2CUP2CVE2CZK2DJF0DKK2DOP2DZD2EGP2ERN2ETB2EUR2FJD2FKP2\
    GBP2GEL2GHS2GIP2GMD2GNF0GTQ2GYD2HKD2HNL2HTG2HUF2IDR2ILS2INR2IQD3IRR2ISK0JMD2JOD3JPY0KES2KGS2KHR2\
    KMF0KPW2KRW0KWD3KYD2KZT2LAK2LBP2LKR2LRD2LSL2LYD3MAD2MDL2MGA2MKD2MMK2MNT2MOP2MRU2MUR2MVR2MWK2MXN2\
    MXV2MYR2MZN2NAD2NGN2NIO2NOK2NPR2NZD2OMR3PAB2PEN2PGK2PHP2PKR2PLN2PYG0QAR2RON2RSD2RUB2RWF0SAR2SBD2\
    SCR2SDG2SEK2SGD2SHP2SLE2SOS2SRD2SSP2STN2SVC2SYP2SZL2THB2TJS2TMT2TND3TOP2TRY2TTD2TWD2TZS2UAH2UGX0\
    USD2USN2UYI0UYU2UYW4UZS2VED2VES2VND0VUV0WST2XAD2XAF0XCD2XCG2XOF0XPF0YER2ZAR2ZMW2ZWG2
    """

  /// Digits after the decimal point, or nil for a code that isn't listed.
  private static func listedDigits(of packed: UInt32) -> Int? {
    if packed == nzd.packed || packed == aud.packed { return 2 }
    return list.withUTF8Buffer { list in
      var lower = 0
      var upper = list.count / 4
      while lower < upper {
        let middle = (lower + upper) / 2
        let entry = middle * 4
        let code = UInt32(list[entry]) << 16 | UInt32(list[entry + 1]) << 8 | UInt32(list[entry + 2])
        if code == packed { return Int(list[entry + 3]) - 0x30 }
        if code < packed { lower = middle + 1 } else { upper = middle }
      }
      return nil
    }
  }
}

extension Currency: Comparable, CustomStringConvertible {
  /// The order of the codes.
  @inlinable
  public static func < (left: Currency, right: Currency) -> Bool {
    left.packed < right.packed
  }

  public var description: String { code }
}
