/// The check of a New Zealand bank account number.
///
/// Source: Inland Revenue, "2020 Resident Withholding Tax (RWT) and Non-Resident Withholding Tax (NRWT), Software
/// Requirements Specification", version 1.0 of 13 March 2019, chapter 8, "Bank account number validation": a table of
/// banks with the branches allotted to each and the algorithm that its numbers follow, and a table of weights by
/// algorithm. The table gives banks 04 and 10 the note that most others have, algorithm A or B by the account base.
enum NewZealandCheck {
  /// What is wrong with a number, or nil. Parts are as numbers: bank up to 2 digits, branch 4, base 8, suffix 4.
  static func fault(bank: Int, branch: Int, base: Int, suffix: Int) -> AccountNumberFault? {
    guard let rule = rule(ofBank: bank) else { return .unknownBank }
    guard rule.branches.contains(where: { $0.contains(branch) }) else { return .unknownBranch }
    let algorithm = rule.algorithm ?? (base < 990_000 ? .a : .b)
    return algorithm.accepts(digits(bank: bank, branch: branch, base: base, suffix: suffix)) ? nil : .checkDigit
  }

  /// The branches of a bank and its algorithm; no algorithm means A for account bases below 00990000 and B for others.
  private static func rule(ofBank bank: Int) -> (branches: [ClosedRange<Int>], algorithm: Algorithm?)? {
    switch bank {
    case 1: ([1...999, 1100...1199, 1800...1899], nil)
    case 2: ([1...999, 1200...1299], nil)
    case 3: ([1...999, 1300...1399, 1500...1599, 1700...1799, 1900...1999, 7350...7399], nil)
    case 4: ([2020...2024], nil)
    case 6: ([1...999, 1400...1499], nil)
    case 8: ([6500...6599], .d)
    case 9: ([0...0], .e)
    case 10: ([5165...5169], nil)
    case 11: ([5000...6499, 6600...8999], nil)
    case 12: ([3000...3299, 3400...3499, 3600...3699], nil)
    case 13: ([4900...4999], nil)
    case 14: ([4700...4799], nil)
    case 15: ([3900...3999], nil)
    case 16: ([4400...4499], nil)
    case 17: ([3300...3399], nil)
    case 18: ([3500...3599], nil)
    case 19: ([4600...4649], nil)
    case 20: ([4100...4199], nil)
    case 21: ([4800...4899], nil)
    case 22: ([4000...4049], nil)
    case 23: ([3700...3799], nil)
    case 24: ([4300...4349], nil)
    case 25: ([2500...2599], .f)
    case 26: ([2600...2699], .g)
    case 27: ([3800...3849], nil)
    case 28: ([2100...2149], .g)
    case 29: ([2150...2299], .g)
    case 30: ([2900...2949], nil)
    case 31: ([2800...2849], .x)
    case 33: ([6700...6799], .f)
    case 35: ([2400...2499], nil)
    case 38: ([9000...9499], nil)
    default: nil
    }
  }

  /// The algorithms in use. The specification also defines C and says that no bank uses it.
  enum Algorithm: CaseIterable {
    case a, b, d, e, f, g, x

    /// A factor for each of the eighteen digits: bank 2, branch 4, base 8, suffix 4.
    var weights: [Int] {
      switch self {
      case .a: [0, 0, 6, 3, 7, 9, 0, 0, 10, 5, 8, 4, 2, 1, 0, 0, 0, 0]
      case .b: [0, 0, 0, 0, 0, 0, 0, 0, 10, 5, 8, 4, 2, 1, 0, 0, 0, 0]
      case .d: [0, 0, 0, 0, 0, 0, 0, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0]
      case .e: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 4, 3, 2, 0, 0, 0, 1]
      case .f: [0, 0, 0, 0, 0, 0, 0, 1, 7, 3, 1, 7, 3, 1, 0, 0, 0, 0]
      case .g: [0, 0, 0, 0, 0, 0, 0, 1, 3, 7, 1, 3, 7, 1, 0, 3, 7, 1]
      case .x: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
      }
    }

    var modulus: Int {
      switch self {
      case .a, .b, .d, .e: 11
      case .f, .g: 10
      case .x: 1
      }
    }

    /// Whether the two digits of each product are added, twice, before the products are summed.
    var addsDigitsOfProducts: Bool { self == .e || self == .g }

    func accepts(_ digits: [Int]) -> Bool {
      var sum = 0
      for (digit, weight) in zip(digits, weights) {
        var product = digit * weight
        if addsDigitsOfProducts {
          product = product / 10 + product % 10
          product = product / 10 + product % 10
        }
        sum += product
      }
      return sum % modulus == 0
    }
  }

  /// The eighteen digits that the weights apply to, each part padded with zeros at its front.
  private static func digits(bank: Int, branch: Int, base: Int, suffix: Int) -> [Int] {
    [(bank, 2), (branch, 4), (base, 8), (suffix, 4)].flatMap { part, width in
      var rest = part
      var digits = [Int](repeating: 0, count: width)
      for index in digits.indices.reversed() {
        digits[index] = rest % 10
        rest /= 10
      }
      return digits
    }
  }
}
