/// The check of a New Zealand bank account number.
///
/// Source: Inland Revenue, "2020 Resident Withholding Tax (RWT) and Non-Resident Withholding Tax (NRWT), Software
/// Requirements Specification", version 1.0 of 13 March 2019, chapter 8, "Bank account number validation": a table of
/// banks with the branches allotted to each and the algorithm that its numbers follow, and a table of weights by
/// algorithm. Where the first table names no algorithm (bank 04), the note that applies to most banks is followed.
enum NewZealandCheck {
  /// What is wrong with a number, or nil. Parts are as numbers: bank up to 2 digits, branch 4, base 8, suffix 4.
  static func fault(bank: UInt64, branch: UInt64, base: UInt64, suffix: UInt64) -> AccountNumberFault? {
    guard let rule = rule(ofBank: bank, branch: branch) else { return isBank(bank) ? .unknownBranch : .unknownBank }
    let algorithm: Algorithm =
      switch rule {
      case .byBase: base < 990_000 ? .a : .b
      case .always(let algorithm): algorithm
      }
    let digits = bank * 10_000_000_000_000_000 + branch * 1_000_000_000_000 + base * 10_000 + suffix
    return algorithm.accepts(digits) ? nil : .checkDigit
  }

  private enum Rule {
    /// Algorithm A for account bases below 00990000, B for the others.
    case byBase
    case always(Algorithm)
  }

  /// The rule for a branch; nil when no bank has it.
  private static func rule(ofBank bank: UInt64, branch: UInt64) -> Rule? {
    switch (bank, branch) {
    case (1, 1...999), (1, 1100...1199), (1, 1800...1899): .byBase
    case (2, 1...999), (2, 1200...1299): .byBase
    case (3, 1...999), (3, 1300...1399), (3, 1500...1599), (3, 1700...1799), (3, 1900...1999), (3, 7350...7399): .byBase
    case (4, 2020...2024): .byBase
    case (6, 1...999), (6, 1400...1499): .byBase
    case (8, 6500...6599): .always(.d)
    case (9, 0): .always(.e)
    case (10, 5165...5169): .byBase
    case (11, 5000...6499), (11, 6600...8999): .byBase
    case (12, 3000...3299), (12, 3400...3499), (12, 3600...3699): .byBase
    case (13, 4900...4999): .byBase
    case (14, 4700...4799): .byBase
    case (15, 3900...3999): .byBase
    case (16, 4400...4499): .byBase
    case (17, 3300...3399): .byBase
    case (18, 3500...3599): .byBase
    case (19, 4600...4649): .byBase
    case (20, 4100...4199): .byBase
    case (21, 4800...4899): .byBase
    case (22, 4000...4049): .byBase
    case (23, 3700...3799): .byBase
    case (24, 4300...4349): .byBase
    case (25, 2500...2599): .always(.f)
    case (26, 2600...2699): .always(.g)
    case (27, 3800...3849): .byBase
    case (28, 2100...2149): .always(.g)
    case (29, 2150...2299): .always(.g)
    case (30, 2900...2949): .byBase
    case (31, 2800...2849): .always(.x)
    case (33, 6700...6799): .always(.f)
    case (35, 2400...2499): .byBase
    case (38, 9000...9499): .byBase
    default: nil
    }
  }

  private static func isBank(_ bank: UInt64) -> Bool {
    switch bank {
    case 1...4, 6, 8...31, 33, 35, 38: true
    default: false
    }
  }

  /// The algorithms in use. The specification also defines C and says that no bank uses it.
  enum Algorithm: CaseIterable {
    case a, b, d, e, f, g, x

    /// A factor for each of the eighteen digits (bank 2, branch 4, base 8, suffix 4), hexadecimal because one is ten.
    private var weights: UInt128 {
      switch self {
      case .a: 0x00_6379_00A58421_0000
      case .b: 0x00_0000_00A58421_0000
      case .d: 0x00_0000_07654321_0000
      case .e: 0x00_0000_00005432_0001
      case .f: 0x00_0000_01731731_0000
      case .g: 0x00_0000_01371371_0371
      case .x: 0x00_0000_00000000_0000
      }
    }

    private var modulus: UInt64 {
      switch self {
      case .a, .b, .d, .e: 11
      case .f, .g: 10
      case .x: 1
      }
    }

    /// Whether the two digits of each product are added, twice, before the products are summed.
    private var addsDigitsOfProducts: Bool { self == .e || self == .g }

    /// Whether the weighted sum of a number of eighteen digits is a multiple of the modulus.
    func accepts(_ number: UInt64) -> Bool {
      var digits = number
      var factors = weights
      var sum: UInt64 = 0
      while factors != 0 {
        var product = digits % 10 * UInt64(factors & 0xF)
        if addsDigitsOfProducts {
          product = product / 10 + product % 10
          product = product / 10 + product % 10
        }
        sum += product
        digits /= 10
        factors >>= 4
      }
      return sum % modulus == 0
    }
  }
}
