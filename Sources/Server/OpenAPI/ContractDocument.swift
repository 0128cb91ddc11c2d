import Synchronization

/// The contract as it is served. It names its own route too, so it is written once the routes are all there.
final class ContractDocument: Sendable {
  private let written = Mutex<[UInt8]>([])

  var bytes: [UInt8] { written.withLock { $0 } }

  func write(_ document: OpenAPIDocument) {
    let bytes = document.bytes()
    written.withLock { $0 = bytes }
  }
}
