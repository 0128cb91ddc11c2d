extension Session {
  /// Appends rows to a table by COPY, a column each as an array of `ArrayBuilder`. The elements' types must be the
  /// columns' own, as there are no casts in a binary COPY.
  /// - Returns: the number of rows that the server took.
  @discardableResult
  public func copyIn(into table: String, _ columns: [(name: String, values: Parameter)]) throws -> Int {
    let names = columns.map(\.name).joined(separator: ", ")
    return try copyIn("copy \(table) (\(names)) from stdin (format binary)") { try $0.rows(columns.map(\.values)) }
  }
}

/// The elements of an array in Postgres' binary form, one after the other, each with its length before it.
struct ArrayBytes {
  let count: Int
  private let storage: ByteStorage?
  private let end: Int
  private var offset: Int

  init(_ array: Parameter) throws(PostgresError) {
    switch array.storage {
    case .shared(let storage, let length) where length >= ArrayBytes.header:
      self.storage = storage
      end = length
      count = Int(Int32(bigEndian: storage.base.loadUnaligned(fromByteOffset: 12, as: Int32.self)))
      offset = ArrayBytes.header
    case .shared:
      (storage, end, count, offset) = (nil, 0, 0, 0)
    case .refused(let reason): throw PostgresError(.encoding, reason)
    case .null, .inline: throw PostgresError(.misuse, "a column of a COPY that is no array")
    }
  }

  /// Number of dimensions, whether there are NULLs, the element's type, the length and the first index.
  private static let header = 20

  mutating func next() -> UnsafeRawBufferPointer {
    guard let storage, offset + 4 <= end else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    let length = Int32(bigEndian: storage.base.loadUnaligned(fromByteOffset: offset, as: Int32.self))
    let start = storage.base + offset
    let size = 4 + max(0, Int(length))
    offset += size
    return UnsafeRawBufferPointer(start: start, count: size)
  }
}
