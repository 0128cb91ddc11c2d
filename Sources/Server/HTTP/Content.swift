import HTTPTypes
import Hummingbird
import NIOCore

/// Reads a request's content whole, within bounds of size and time.
struct Content {
  let limits: ServerLimits

  /// - Parameters:
  ///   - maximum: bytes that are taken.
  ///   - types: the media types that are taken.
  func read(_ request: Request, upTo maximum: Int, types: [String]) async throws -> [UInt8] {
    try check(request, upTo: maximum, types: types)
    let clock = ContinuousClock()
    var deadline: ContinuousClock.Instant?
    var bytes: [UInt8] = []
    if let length = request.headers[.contentLength].flatMap({ Int($0) }) { bytes.reserveCapacity(min(length, maximum)) }
    do {
      for try await part in request.body {
        guard bytes.count + part.readableBytes <= maximum else { throw tooLarge(maximum) }
        bytes.append(contentsOf: part.readableBytesView)
        // Who sends drop by drop is stopped at the first drop that comes too late; who falls silent, by the
        // connection's own bound.
        if let deadline, clock.now > deadline {
          throw Problem(.requestTimeout, headers: [.connection: "close"])
        }
        deadline = deadline ?? clock.now.advanced(by: limits.arrival)
      }
    } catch let problem as Problem {
      throw problem
    } catch {
      throw Problem(.invalidRequest, "The content didn't arrive whole.", headers: [.connection: "close"])
    }
    return bytes
  }

  private func check(_ request: Request, upTo maximum: Int, types: [String]) throws(Problem) {
    let given = request.headers[.contentType] ?? ""
    // Most clients send it just so; the rest of the grammar costs more than reading a transfer.
    guard given == types.first || types.contains(given.prefix { $0 != ";" }.filter { $0 != " " }.lowercased()) else {
      throw Problem(.unsupportedMediaType, "Content-Type is \(types.joined(separator: " or ")).")
    }
    if let encoding = request.headers[.contentEncoding], encoding.lowercased() != "identity" {
      throw Problem(.unsupportedMediaType, "Content-Encoding isn't taken.")
    }
    if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > maximum { throw tooLarge(maximum) }
  }

  /// The rest isn't read: the connection ends with the answer.
  private func tooLarge(_ maximum: Int) -> Problem {
    Problem(.bodyTooLarge, "At most \(maximum) bytes are taken.", headers: [.connection: "close"])
  }
}
