/// Unaligned little-endian loads and stores, and the comparison of byte ranges. The standard library offers the first
/// two only on raw pointers and the third only through sequences.
extension UnsafeRawBufferPointer {
  /// Eight bytes as one word, the byte at `offset` lowest.
  @inline(__always)
  func word(at offset: Int) -> UInt64 {
    UInt64(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }

  /// Four bytes as the lower half of a word, the byte at `offset` lowest.
  @inline(__always)
  func halfWord(at offset: Int) -> UInt64 {
    UInt64(UInt32(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
  }

  /// Whether both ranges hold the same bytes.
  @inline(__always)
  func holdsSameBytes(as other: UnsafeRawBufferPointer) -> Bool {
    guard count == other.count else { return false }
    var index = 0
    while index + 8 <= count {
      if word(at: index) != other.word(at: index) { return false }
      index += 8
    }
    while index < count {
      if self[index] != other[index] { return false }
      index += 1
    }
    return true
  }

  /// The number that two ASCII digits write, or nil.
  @inline(__always)
  func twoDigits(at offset: Int) -> Int? {
    let tens = self[offset] &- 0x30
    let ones = self[offset + 1] &- 0x30
    guard tens <= 9, ones <= 9 else { return nil }
    return Int(tens) * 10 + Int(ones)
  }

  /// The number that four ASCII digits write, or nil.
  @inline(__always)
  func fourDigits(at offset: Int) -> Int? {
    guard let upper = twoDigits(at: offset), let lower = twoDigits(at: offset + 2) else { return nil }
    return upper * 100 + lower
  }
}

extension UnsafeMutableRawBufferPointer {
  @inline(__always)
  func storeWord(_ word: UInt64, at offset: Int) {
    storeBytes(of: word.littleEndian, toByteOffset: offset, as: UInt64.self)
  }

  @inline(__always)
  func storeHalfWord(_ word: UInt64, at offset: Int) {
    storeBytes(of: UInt32(truncatingIfNeeded: word).littleEndian, toByteOffset: offset, as: UInt32.self)
  }

  /// Writes a number below one hundred as two digits.
  @inline(__always)
  func storeTwoDigits(_ value: Int, at offset: Int) {
    self[offset] = UInt8(truncatingIfNeeded: 0x30 + value / 10)
    self[offset + 1] = UInt8(truncatingIfNeeded: 0x30 + value % 10)
  }

  /// Writes a number below ten thousand as four digits.
  @inline(__always)
  func storeFourDigits(_ value: Int, at offset: Int) {
    storeTwoDigits(value / 100, at: offset)
    storeTwoDigits(value % 100, at: offset + 2)
  }
}

extension String {
  /// Whether the two are the same text to everybody: Unicode, and so `==`, takes several spellings for one.
  package func hasSameBytes(as other: String) -> Bool {
    let same = utf8.withContiguousStorageIfAvailable { bytes in
      other.utf8.withContiguousStorageIfAvailable {
        UnsafeRawBufferPointer(bytes).holdsSameBytes(as: UnsafeRawBufferPointer($0))
      }
    }
    return (same ?? nil) ?? utf8.elementsEqual(other.utf8)
  }
}
