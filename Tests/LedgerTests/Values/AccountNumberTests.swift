import Ledger
import Testing

@Suite struct AccountNumberTests {
  @Test(arguments: [
    // The three numbers that the specification works out, under algorithms A, D and G.
    ("01-0902-0068389-00", "01-0902-0068389-00"),
    ("08-6523-1954512-001", "08-6523-1954512-01"),
    ("26-2600-0320871-032", "26-2600-0320871-32"),
    // B, from base 0990000 on: 10·9 + 5·9 + 8·1 = 143 = 13·11, without the branch.
    ("01-0902-0991000-00", "01-0902-0991000-00"),
    // E: 5·3 is 15 and counts 6, then 4·2, 3·1 and the suffix's 1·5: 22 = 2·11.
    ("09-0000-0003210-05", "09-0000-0003210-05"),
    // F: 3·1 + 1·2 + 7·3 + 3·4 + 1·2 = 40 = 4·10, whatever the suffix.
    ("25-2500-0012342-00", "25-2500-0012342-00"),
    ("33-6700-0012342-999", "33-6700-0012342-999"),
    // X: every number.
    ("31-2800-1234567-89", "31-2800-1234567-89"),
    // The other forms.
    ("01-0902-0068389-000", "01-0902-0068389-00"),
    ("01 0902 0068389 00", "01-0902-0068389-00"),
    ("010902006838900", "01-0902-0068389-00"),
    ("0109020068389000", "01-0902-0068389-00"),
    ("01-0902-0068389-123", "01-0902-0068389-123"),
    ("062-000 12345678", "062-000 12345678"),
    ("062000 12345678", "062-000 12345678"),
    ("062-000-12345678", "062-000 12345678"),
    ("062 000 12345678", "062-000 12345678"),
    ("062-00012345678", "062-000 12345678"),
    ("06200012345678", "062-000 12345678"),
    ("062-000 12", "062-000 12"),
    ("06200012", "062-000 12"),
    ("062-000 123456789", "062-000 123456789"),
    ("062000 012345678", "062-000 012345678"),
  ])
  func reads(_ text: String, _ canonical: String) throws {
    let number = try AccountNumber(text)
    #expect(number.description == canonical)
    #expect(try AccountNumber(canonical) == number)
  }

  @Test(arguments: [
    ("", AccountNumberFault.malformed),
    ("account", .malformed),
    ("01-0902-0068389", .malformed),
    ("01-0902-0068389-0", .malformed),
    ("01-0902-0068389-0000", .malformed),
    ("1-0902-0068389-00", .malformed),
    ("01-902-0068389-00", .malformed),
    ("01-0902-068389-00", .malformed),
    ("01-0902-00683890-0", .malformed),
    ("01--0902-0068389-00", .malformed),
    ("01-0902-0068389-00 ", .malformed),
    ("-01-0902-0068389-00", .malformed),
    ("01.0902.0068389.00", .malformed),
    ("01-0902-006838\u{0669}-00", .malformed),
    ("62-000 12345678", .malformed),
    ("062-000 1", .malformed),
    ("062-000 1234567890", .malformed),
    ("062-0000 1234567", .malformed),
    ("0620001", .malformed),
    ("12345678901234567", .malformed),
    ("99999999999999999999999999", .malformed),
    ("000-000 12345678", .zero),
    ("062-000 00000000", .zero),
    ("00-0902-0068389-00", .unknownBank),
    ("05-0902-0068389-00", .unknownBank),
    ("99-0902-0068389-00", .unknownBank),
    ("01-0000-0068389-00", .unknownBranch),
    ("01-1000-0068389-00", .unknownBranch),
    ("12-3300-0068389-00", .unknownBranch),
    ("01-0902-0068388-00", .checkDigit),
    ("01-0903-0068389-00", .checkDigit),
    ("08-6523-1954513-001", .checkDigit),
    ("26-2600-0320871-033", .checkDigit),
    ("01-0902-0990000-00", .checkDigit),
    // Fifteen digits are a New Zealand number, though 062-000 with nine digits would have as many.
    ("062000123456789", .unknownBranch),
  ])
  func refuses(_ text: String, _ fault: AccountNumberFault) {
    #expect(throws: fault) { try AccountNumber(text) }
  }

  /// Eleven is prime and no weight of A is a multiple of it, so one wrong digit is always noticed.
  @Test func noticesEveryWrongDigit() {
    let valid = Array("01-0902-0068389-00".utf8)
    for place in [3, 4, 5, 6] + Array(9...14) {
      for digit in UInt8(ascii: "0")...UInt8(ascii: "9") where digit != valid[place] {
        var text = valid
        text[place] = digit
        let number = text.withUnsafeBytes { try? AccountNumber(utf8: $0) }
        #expect(number == nil, "\(digit) at \(place)")
      }
    }
  }

  @Test func agreesWithTheTablesReadByHand() throws {
    var chance = Chance("New Zealand account numbers")
    var accepted = 0
    for _ in 0..<20_000 {
      let row = chance.pick(NewZealandTable.rows)
      let range = chance.pick(row.branches)
      let bank = chance.oneIn(10) ? chance.index(below: 100) : row.bank
      let branch = chance.oneIn(10) ? chance.index(below: 10_000) : Int.random(in: range, using: &chance)
      let base = chance.oneIn(3) ? 980_000 + chance.index(below: 20_000) : chance.index(below: 10_000_000)
      let suffix = chance.index(below: 1_000)
      let text = [(bank, 2), (branch, 4), (base, 7), (suffix, 3)].map { NewZealandTable.padded($0, $1) }
      let number = try? AccountNumber(text.joined(separator: "-"))
      #expect((number != nil) == NewZealandTable.accepts(text), "\(text)")
      guard let number else { continue }
      accepted += 1
      #expect(
        number == .newZealand(bank: UInt8(bank), branch: UInt16(branch), base: UInt32(base), suffix: UInt16(suffix)))
      #expect(try AccountNumber(number.description) == number)
    }
    #expect(accepted > 1_000)
  }
}

/// The tables of Inland Revenue's specification, kept as they are printed and followed digit by digit.
private enum NewZealandTable {
  static let rows: [(bank: Int, branches: [ClosedRange<Int>], algorithm: String)] = """
    01 0001-0999 1100-1199 1800-1899 *|02 0001-0999 1200-1299 *|04 2020-2024 *|06 0001-0999 1400-1499 *
    03 0001-0999 1300-1399 1500-1599 1700-1799 1900-1999 7350-7399 *|08 6500-6599 D|09 0000-0000 E
    10 5165-5169 *|11 5000-6499 6600-8999 *|12 3000-3299 3400-3499 3600-3699 *|13 4900-4999 *|14 4700-4799 *
    15 3900-3999 *|16 4400-4499 *|17 3300-3399 *|18 3500-3599 *|19 4600-4649 *|20 4100-4199 *|21 4800-4899 *
    22 4000-4049 *|23 3700-3799 *|24 4300-4349 *|25 2500-2599 F|26 2600-2699 G|27 3800-3849 *|28 2100-2149 G
    29 2150-2299 G|30 2900-2949 *|31 2800-2849 X|33 6700-6799 F|35 2400-2499 *|38 9000-9499 *
    """.split(whereSeparator: { $0 == "\n" || $0 == "|" }).map { row in
      let words = row.split(separator: " ").map(String.init)
      let branches = words[1..<words.count - 1].map { range in
        let ends = range.split(separator: "-").map { Int($0) ?? -1 }
        return ends[0]...ends[1]
      }
      return (Int(words[0]) ?? -1, branches, words[words.count - 1])
    }

  static let weights: [String: ([Int], modulus: Int)] = [
    "A": ([0, 0, 6, 3, 7, 9, 0, 0, 10, 5, 8, 4, 2, 1, 0, 0, 0, 0], 11),
    "B": ([0, 0, 0, 0, 0, 0, 0, 0, 10, 5, 8, 4, 2, 1, 0, 0, 0, 0], 11),
    "D": ([0, 0, 0, 0, 0, 0, 0, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0], 11),
    "E": ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 4, 3, 2, 0, 0, 0, 1], 11),
    "F": ([0, 0, 0, 0, 0, 0, 0, 1, 7, 3, 1, 7, 3, 1, 0, 0, 0, 0], 10),
    "G": ([0, 0, 0, 0, 0, 0, 0, 1, 3, 7, 1, 3, 7, 1, 0, 3, 7, 1], 10),
    "X": ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 1),
  ]

  static func accepts(_ parts: [String]) -> Bool {
    guard let bank = Int(parts[0]), let branch = Int(parts[1]), let base = Int(parts[2]), let suffix = Int(parts[3]),
      let row = rows.first(where: { $0.bank == bank && $0.branches.contains { $0.contains(branch) } })
    else { return false }
    let name = row.algorithm == "*" ? (base < 990_000 ? "A" : "B") : row.algorithm
    guard let (factors, modulus) = weights[name] else { return false }
    let digits = parts[0] + parts[1] + padded(base, 8) + padded(suffix, 4)
    let products = zip(digits.compactMap(\.wholeNumberValue), factors).map { digit, factor in
      var product = digit * factor
      if name == "E" || name == "G" {
        while product > 9 { product = String(product).compactMap(\.wholeNumberValue).reduce(0, +) }
      }
      return product
    }
    return products.reduce(0, +) % modulus == 0
  }

  static func padded(_ value: Int, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
