import EventStore
import Ledger
import LocalStack

/// The list of a book's erasures that is kept outside of its database, so that a database restored to a time before one
/// of them doesn't bring the person back: NDJSON, a line an erasure, nothing personal in it.
///
/// It only grows, and is replaced as a whole, so that whoever copies it gets whole lines.
struct ErasureList {
  /// Nil for the list of a book that is still to be named.
  private(set) var bookID: Identifier?
  /// In the order they were added.
  private(set) var subjects: [ErasedSubject] = []

  init(bookID: Identifier) {
    self.bookID = bookID
  }

  /// Reads a list.
  ///
  /// - Parameter bookID: the book that every line must be of; nil for that of the first.
  /// - Throws: `ErasureListFault` for a file that isn't there, or any line that isn't of this book: a list that can't be
  ///   read whole isn't taken for less.
  init(path: String, bookID: Identifier? = nil) throws {
    guard let text = Files.read(path) else { throw ErasureListFault(description: "can't read \(path)") }
    self.bookID = bookID
    for (index, bytes) in text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
      if bytes.isEmpty { continue }
      let place = "\(path), line \(index + 1)"
      let line: (book: Identifier, subject: ErasedSubject)
      do throws(JSONFault) {
        line = try ErasureList.read(Array(bytes))
      } catch {
        throw ErasureListFault(description: "\(place): \(error.pointer) \(error.reason)")
      }
      let expected = self.bookID ?? line.book
      guard line.book == expected else {
        throw ErasureListFault(description: "\(place): it is of the book \(line.book), and this is \(expected)")
      }
      self.bookID = expected
      subjects.append(line.subject)
    }
  }

  /// Adds those that aren't on it yet.
  ///
  /// - Returns: how many were added.
  mutating func add(_ erasures: [ErasedSubject]) -> Int {
    var known = Set(subjects.map(\.customerID))
    let before = subjects.count
    for subject in erasures where known.insert(subject.customerID).inserted { subjects.append(subject) }
    return subjects.count - before
  }

  func write(to path: String) throws {
    var writer = JSONWriter(reserving: subjects.count * 160)
    for subject in subjects {
      writer.beginObject()
      writer.field("book_id", bookID)
      writer.field("customer_id", subject.customerID)
      writer.field("position", integer: subject.position)
      writer.field("erased_at", subject.erasedAt)
      writer.endObject()
      writer.endLine()
    }
    try Files.write(writer.bytes, to: path, mode: 0o600)
  }

  private static func read(_ line: [UInt8]) throws(JSONFault) -> (book: Identifier, subject: ErasedSubject) {
    var object = try JSONDocument(line).root.object()
    let book = try object.required("book_id").identifier()
    let subject = ErasedSubject(
      customerID: try object.required("customer_id").identifier(),
      position: try object.optional("position")?.int64(), erasedAt: try object.required("erased_at").moment())
    try object.finish()
    return (book, subject)
  }
}

/// What is wrong with a list of erasures.
struct ErasureListFault: Error, CustomStringConvertible {
  let description: String
}
