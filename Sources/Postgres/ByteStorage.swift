/// A block of memory that a parameter points into while libpq reads it.
///
/// `@unchecked`: the bytes are written only while a single builder refers to the block (it checks), and are only read
/// from then on.
@usableFromInline
final class ByteStorage: @unchecked Sendable {
  @usableFromInline let base: UnsafeMutableRawPointer
  @usableFromInline let capacity: Int

  @usableFromInline
  init(capacity: Int) {
    base = UnsafeMutableRawPointer.allocate(byteCount: max(capacity, 16), alignment: 16)
    self.capacity = max(capacity, 16)
  }

  deinit { base.deallocate() }

  convenience init(copying bytes: UnsafeRawBufferPointer, after prefix: UInt8? = nil) {
    let offset = prefix == nil ? 0 : 1
    self.init(capacity: bytes.count + offset)
    if let prefix { base.storeBytes(of: prefix, as: UInt8.self) }
    if let source = bytes.baseAddress { (base + offset).copyMemory(from: source, byteCount: bytes.count) }
  }
}

/// Postgres counts days and microseconds from 1 January 2000, Kauri from 1 January 1970.
@usableFromInline
enum Epoch {
  @usableFromInline static let days: Int32 = 10_957
  @usableFromInline static let microseconds: Int64 = 946_684_800_000_000
}
