import CLZ4

/// Why bytes aren't a frame of LZ4, or can't be made one.
public struct LZ4Fault: Error, Hashable, Sendable, CustomStringConvertible {
  public let reason: String

  public var description: String { "LZ4: \(reason)" }
}

/// Frames of LZ4 (LZ4 Frame Format Description, version 1.6), each whole and by itself: it says how long its content is
/// and ends with the content's checksum. Frames that stand one after the other are a file that the `lz4` tool reads.
package enum LZ4Frame {
  /// A byte of LZ4 stands for at most some 255 of content, so what a frame claims beyond that is a lie.
  private static let ratioMaximum = 256

  /// Compresses `content` to one frame. The same content and version of the library give the same bytes.
  package static func compress(_ content: [UInt8]) throws(LZ4Fault) -> [UInt8] {
    var preferences = LZ4F_preferences_t()
    preferences.frameInfo.blockSizeID = LZ4F_max4MB
    preferences.frameInfo.blockMode = LZ4F_blockIndependent
    preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled
    preferences.frameInfo.contentSize = UInt64(content.count)
    let bound = LZ4F_compressFrameBound(content.count, &preferences)
    var size = 0
    let frame = [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
      size = content.withUnsafeBytes { source in
        LZ4F_compressFrame(buffer.baseAddress, bound, source.baseAddress, source.count, &preferences)
      }
      count = LZ4F_isError(size) == 0 ? size : 0
    }
    try check(size)
    return frame
  }

  /// Decompresses one frame, which must end where `frame` ends.
  ///
  /// - Parameter count: how long the content is, as the index says: no more memory is taken.
  package static func decompress(_ frame: [UInt8], count expected: Int) throws(LZ4Fault) -> [UInt8] {
    guard expected >= 0, expected / ratioMaximum <= frame.count else {
      throw LZ4Fault(reason: "a frame of \(frame.count) bytes can't hold \(expected)")
    }
    var context: OpaquePointer?
    try check(LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION)))
    defer { LZ4F_freeDecompressionContext(context) }
    var result = 1
    var consumed = 0
    // One byte more than there should be, so that content that is too long shows.
    let content = [UInt8](unsafeUninitializedCapacity: expected + 1) { buffer, count in
      while result != 0, LZ4F_isError(result) == 0 {
        var (written, read) = (expected + 1 - count, frame.count - consumed)
        result = frame.withUnsafeBytes { source in
          LZ4F_decompress(
            context, buffer.baseAddress.map { $0 + count }, &written, source.baseAddress.map { $0 + consumed }, &read,
            nil)
        }
        count += written
        consumed += read
        if written == 0, read == 0 { break }
      }
    }
    try check(result)
    guard result == 0 else { throw LZ4Fault(reason: "the frame ends early, or holds more than it should") }
    guard consumed == frame.count else { throw LZ4Fault(reason: "something follows the frame") }
    guard content.count == expected else {
      throw LZ4Fault(reason: "the frame holds \(content.count) bytes and should hold \(expected)")
    }
    return content
  }

  /// A skippable frame: bytes that the `lz4` tool passes over.
  ///
  /// - Parameter content: less than 4 GiB.
  package static func skippable(_ content: [UInt8]) -> [UInt8] {
    skippableHead(count: content.count) + content
  }

  /// - Parameter count: bytes of the content that follows, less than 4 GiB.
  static func skippableHead(count: Int) -> [UInt8] {
    var head: [UInt8] = []
    withUnsafeBytes(of: skippableMagic.littleEndian) { head.append(contentsOf: $0) }
    withUnsafeBytes(of: UInt32(truncatingIfNeeded: count).littleEndian) { head.append(contentsOf: $0) }
    return head
  }

  static let skippableMagic: UInt32 = 0x184D_2A50
  /// Bytes before the content of a skippable frame.
  static let skippableHeader = 8

  private static func check(_ result: Int) throws(LZ4Fault) {
    guard LZ4F_isError(result) != 0 else { return }
    throw LZ4Fault(reason: LZ4F_getErrorName(result).map { String(cString: $0) } ?? "error")
  }
}
