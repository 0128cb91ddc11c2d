import Crypto
import EventStore
import LocalStack
import Testing

/// Files that somebody made up: they are refused with a reason, whatever they claim.
@Suite struct CraftedSegmentTests {
  /// A segment's file whose index claims these rows, with everything in it that makes it look whole.
  private static func file(first: Int64, count: UInt64, before foreign: [UInt8] = []) throws -> [UInt8] {
    func number(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }
    var frame: [UInt8] = []
    for _ in 0..<count { frame += number(UInt32(0)) }
    let compressed = try LZ4Frame.compress(frame)
    let size = UInt64(first - 1)
    let frontier = number(size) + [UInt8](repeating: 7, count: 32 * size.nonzeroBitCount)
    var index = Array("KAURIIDX".utf8) + number(UInt32(1)) + number(first) + number(count) + number(UInt32(1))
    index += number(UInt64(foreign.count)) + number(UInt32(compressed.count)) + number(UInt32(frame.count))
    index += SHA256.hash(data: foreign + compressed)
    index += number(UInt32(frontier.count)) + frontier
    // No checkpoint, no proof, empty tables.
    index += number(UInt32(0)) + number(UInt32(0)) + number(UInt64(0)) + number(UInt64(0))
    index += SHA256.hash(data: index)
    index += number(UInt64(foreign.count + compressed.count)) + Array("KAURIEND".utf8)
    return foreign + compressed + LZ4Frame.skippable(index)
  }

  /// A frame that the index doesn't name, before those that it does: whoever decompresses the file would read it as rows.
  @Test func aFrameThatTheIndexLeavesOut() throws {
    let directory = try TemporaryDirectories.make()
    defer { try? Files.remove(directory) }
    let path = "\(directory)/crafted.kauri.lz4"
    let foreign = try LZ4Frame.compress(Array("one million to somebody".utf8))
    try Files.write(try Self.file(first: 2, count: 2, before: foreign), to: path, mode: 0o644)
    #expect(throws: ArchiveFault.self) { try Segment(path: path) }
  }

  private static let beyond: [(Int64, UInt64)] = [
    (Int64.max, 2), (Int64.max, 1), (Int64.max - 1, 1), (Int64.max - 1, 2), (Int64.max - 1_024, 1_024),
    (4_611_686_018_427_387_904, 1),
  ]
  private static let within: [(Int64, UInt64)] = [(2, 2), (4_611_686_018_427_387_903, 1)]

  @Test(arguments: beyond)
  func positionsThatNoLogHas(first: Int64, count: UInt64) throws {
    let directory = try TemporaryDirectories.make()
    defer { try? Files.remove(directory) }
    let path = "\(directory)/crafted.kauri.lz4"
    try Files.write(try Self.file(first: first, count: count), to: path, mode: 0o644)
    let fault = #expect(throws: ArchiveFault.self) { try Segment(path: path) }
    #expect(fault?.reason.contains("no log has those") == true)
  }

  /// The same file with positions that a log may have is a segment, whose rows then can't be read.
  @Test(arguments: within)
  func positionsThatALogMayHave(first: Int64, count: UInt64) throws {
    let directory = try TemporaryDirectories.make()
    defer { try? Files.remove(directory) }
    let path = "\(directory)/crafted.kauri.lz4"
    try Files.write(try Self.file(first: first, count: count), to: path, mode: 0o644)
    let segment = try Segment(path: path)
    #expect(segment.positions.count == Int(count))
    var check = SegmentCheck(segment, against: Checkpoint(origin: "kauri", size: .max, root: .empty))
    #expect(try check.run().faults.isEmpty == false)
  }
}
