import Ledger
import Testing

@Suite struct CurrencyTests {
  @Test(arguments: [
    ("NZD", 2), ("AUD", 2), ("USD", 2), ("EUR", 2), ("GBP", 2), ("JPY", 0), ("KRW", 0), ("VND", 0), ("XPF", 0),
    ("FJD", 2), ("WST", 2), ("TOP", 2), ("VUV", 0), ("PGK", 2), ("BHD", 3), ("IQD", 3), ("JOD", 3), ("KWD", 3),
    ("LYD", 3), ("OMR", 3), ("TND", 3), ("CLF", 4), ("UYW", 4), ("AED", 2), ("ZWG", 2), ("XCG", 2), ("SLE", 2),
  ])
  func knowsMinorUnits(_ code: String, _ digits: Int) throws {
    let currency = try #require(Currency(code))
    #expect(currency.code == code)
    #expect(currency.minorUnitDigits == digits)
    #expect(Currency(packed: currency.packed) == currency)
  }

  @Test(arguments: [
    "", "NZ", "NZDD", "nzd", "N D", "NZ\u{D6}", "ABC", "ZZZ", "AAA",
    // Withdrawn: kuna, Netherlands Antillean guilder, convertible peso, leone, Zimbabwe dollar, lev.
    "HRK", "ANG", "CUC", "SLL", "ZWL", "BGN", "DEM",
    // Listed without a minor unit: gold, special drawing rights, testing, no currency.
    "XAU", "XDR", "XTS", "XXX",
  ])
  func refuses(_ code: String) {
    #expect(Currency(code) == nil)
  }

  /// The list is searched by halves, which finds everything only when it is sorted.
  @Test func findsEveryListedCodeAndNoOther() {
    let letters = UInt32(UInt8(ascii: "A"))...UInt32(UInt8(ascii: "Z"))
    var found: [Currency] = []
    for first in letters {
      for second in letters {
        for third in letters {
          if let currency = Currency(packed: first << 16 | second << 8 | third) { found.append(currency) }
        }
      }
    }
    #expect(found.count == 165)
    #expect(found == found.sorted())
    #expect(found.filter { $0.minorUnitDigits == 0 }.count == 17)
    #expect(found.filter { $0.minorUnitDigits == 3 }.count == 7)
    #expect(found.filter { $0.minorUnitDigits == 4 }.count == 2)
  }

  @Test func namedOnesAreListed() {
    for currency in [Currency.nzd, .aud, .usd, .eur, .gbp, .jpy] { #expect(Currency(currency.code) == currency) }
  }
}
