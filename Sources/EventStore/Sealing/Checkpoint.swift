public import Ledger

/// A head of the tree over the log, as it is signed: the text of C2SP's tlog-checkpoint.
public struct Checkpoint: Hashable, Sendable {
  /// Which log: the book and its incarnation. A restore that lost events begins another log.
  public var origin: String
  /// Events.
  public var size: Int64
  public var root: TreeHash

  public init(origin: String, size: Int64, root: TreeHash) {
    self.origin = origin
    self.size = size
    self.root = root
  }

  /// `kauri.<book>/<incarnation>`.
  public static func origin(book: Identifier, incarnation: Int) -> String { "kauri.\(book)/\(incarnation)" }

  /// What is signed: three lines, each with its line's end.
  public var text: String { "\(origin)\n\(size)\n\(root.base64)\n" }

  /// Reads `text`. Lines beyond the three, which the format allows and Kauri never writes, are refused.
  ///
  /// - Returns: nil for anything but what `text` gives.
  public init?(text: String) {
    let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    guard lines.count == 4, lines[3].isEmpty, !lines[0].isEmpty, let size = Int64(Substring(lines[1])), size >= 0,
      let root = TreeHash(base64: String(Substring(lines[2])))
    else { return nil }
    self.init(origin: String(Substring(lines[0])), size: size, root: root)
    // One form only: no plus, no leading zeros.
    guard text.utf8.elementsEqual(self.text.utf8) else { return nil }
  }
}

/// Why a note isn't a checkpoint that may be believed.
public enum CheckpointFault: Error, Hashable, Sendable {
  /// It isn't a signed note, or its text isn't a checkpoint's.
  case malformed(String)
  /// No signature is by the key that is trusted.
  case unknownSigner
  /// A signature claims to be by the key, and isn't.
  case forged
}

extension CheckpointFault: CustomStringConvertible {
  public var description: String {
    switch self {
    case .malformed(let reason): "the checkpoint is malformed: \(reason)"
    case .unknownSigner: "the checkpoint isn't signed by this key"
    case .forged: "the checkpoint's signature is not what this key would sign"
    }
  }
}
