import Crypto
import Ledger

/// A segment of the archive, open for reading. Rows are decompressed a frame at a time, ids are found by halving a table
/// in the file, so it takes little memory however large it is.
public final class Segment: Sendable {
  public let index: SegmentIndex
  let file: ArchiveFile
  /// Where the index's frame begins.
  let indexOffset: Int

  public var path: String { file.path }
  public var positions: ClosedRange<Int64> { index.first...index.last }

  /// - Throws: `ArchiveFault` for a file that can't be read or isn't a segment.
  public init(path: String) throws(ArchiveFault) {
    file = try ArchiveFile(path: path)
    let markLength = 16
    guard file.size > markLength + LZ4Frame.skippableHeader else {
      throw ArchiveFault(path: path, reason: "it isn't a segment: it is too short")
    }
    var trailer = NumberReader(bytes: try file.read(file.size - markLength..<file.size))
    guard let offset = trailer.number(UInt64.self), trailer.take(8).map(Array.init) == SegmentIndex.end,
      offset < UInt64(file.size - markLength - LZ4Frame.skippableHeader)
    else { throw ArchiveFault(path: path, reason: "it isn't a segment, or its end is missing") }
    indexOffset = Int(offset)
    // The tables are looked at where they lie; everything before them is small.
    let start = indexOffset + LZ4Frame.skippableHeader
    var wanted = 1 << 16
    while true {
      let end = min(file.size, start + wanted)
      if let index = SegmentIndex(try file.read(start..<end), at: start, fileSize: file.size) {
        guard index.first <= SegmentIndex.positionMaximum - Int64(index.count) else {
          throw ArchiveFault(
            path: path, reason: "its index claims \(index.count) events from \(index.first) on: no log has those")
        }
        self.index = index
        return
      }
      guard end < file.size else { throw ArchiveFault(path: path, reason: "its index can't be read") }
      wanted *= 4
    }
  }

  // MARK: Rows

  /// The rows of a range that the segment has.
  public func rows(_ range: ClosedRange<Int64>) throws -> [LogRow] {
    let wanted = range.clamped(to: positions)
    guard range.overlaps(positions) else { return [] }
    let (start, end) = (Int(wanted.lowerBound - index.first), Int(wanted.upperBound - index.first))
    var rows: [LogRow] = []
    for frame in start / SegmentIndex.rowsPerFrame...end / SegmentIndex.rowsPerFrame {
      rows += try self.rows(ofFrame: frame).filter { wanted.contains($0.position) }
    }
    return rows
  }

  /// - Throws: `ArchiveFault` naming what is wrong with the frame.
  func rows(ofFrame number: Int) throws(ArchiveFault) -> [LogRow] {
    let frame = index.frames[number]
    let content: [UInt8]
    do {
      content = try LZ4Frame.decompress(
        file.read(frame.offset..<frame.offset + frame.length), count: frame.contentLength)
    } catch let fault as LZ4Fault {
      throw ArchiveFault(path: path, reason: "frame \(number): \(fault)")
    } catch let fault as ArchiveFault {
      throw fault
    } catch {
      throw ArchiveFault(path: path, reason: "frame \(number): \(error)")
    }
    var reader = NumberReader(bytes: content)
    var rows: [LogRow] = []
    for place in index.rows(ofFrame: number) {
      guard let bytes = reader.counted() else {
        throw ArchiveFault(path: path, reason: "row \(index.first + Int64(place)) is missing")
      }
      do throws(LeafEncodingFault) {
        rows.append(try LeafEncoding.row(from: Array(bytes)))
      } catch {
        throw ArchiveFault(path: path, reason: "row \(index.first + Int64(place)): \(error)")
      }
    }
    guard reader.offset == content.count else {
      throw ArchiveFault(path: path, reason: "frame \(number) holds more than its rows")
    }
    return rows
  }

  /// SHA-256 of a part of the file.
  func hash(_ range: Range<Int>) throws(ArchiveFault) -> [UInt8] {
    var hasher = SHA256()
    let step = 1 << 20
    for offset in stride(from: range.lowerBound, to: range.upperBound, by: step) {
      hasher.update(data: try file.read(offset..<min(range.upperBound, offset + step)))
    }
    return Array(hasher.finalize())
  }

  // MARK: Ids

  /// The numbers of the rows that the table has for an id.
  func rows(of id: Identifier, in table: SegmentIndex.Table) throws(ArchiveFault) -> [Int] {
    var low = 0
    var high = table.count
    while low < high {
      let middle = (low + high) / 2
      if try entry(middle, of: table).id < id { low = middle + 1 } else { high = middle }
    }
    var found: [Int] = []
    while low < table.count {
      let entry = try entry(low, of: table)
      guard entry.id == id else { break }
      found.append(Int(entry.row))
      low += 1
    }
    return found
  }

  func entry(_ number: Int, of table: SegmentIndex.Table) throws(ArchiveFault) -> SegmentEntry {
    let start = table.offset + number * SegmentIndex.Table.entryLength
    var reader = NumberReader(bytes: try file.read(start..<start + SegmentIndex.Table.entryLength))
    guard let high = reader.number(UInt64.self), let low = reader.number(UInt64.self),
      let row = reader.number(UInt32.self), Int(row) < index.count
    else { throw ArchiveFault(path: path, reason: "its index names a row that it doesn't have") }
    return SegmentEntry(id: Identifier(high: high, low: low), row: row)
  }
}
