import Ledger

/// Text with signatures under it, in the form of C2SP's signed-note: a blank line divides them, and a signature's
/// line is an em dash, the key's name, and base64 of the key's id and the signature.
public struct SignedNote: Hashable, Sendable {
  public struct Signature: Hashable, Sendable {
    public let name: String
    /// The first four bytes of what `keyID` hashes.
    public let keyID: UInt32
    public let bytes: [UInt8]

    var line: String {
      var signature = withUnsafeBytes(of: keyID.bigEndian) { Array($0) }
      signature += bytes
      return "\(SignedNote.mark)\(name) \(Base64.encode(signature))\n"
    }
  }

  /// With its last line's end; what is signed.
  public let text: String
  public let signatures: [Signature]

  private static let mark = "\u{2014} "
  /// Bytes and signatures that are looked at, at most.
  private static let lengthMaximum = 65_536
  private static let signaturesMaximum = 64

  init(text: String, signatures: [Signature]) {
    self.text = text
    self.signatures = signatures
  }

  /// The whole note.
  public var note: String { text + "\n" + signatures.map(\.line).joined() }

  /// Takes a note apart. Nothing of it may be believed before a signature has been checked.
  ///
  /// - Throws: `CheckpointFault.malformed`.
  public init(parsing note: String) throws(CheckpointFault) {
    let bytes = Array(note.utf8)
    guard bytes.count <= SignedNote.lengthMaximum else { throw .malformed("it is too long") }
    guard bytes.allSatisfy({ $0 >= 0x20 || $0 == UInt8(ascii: "\n") }) else { throw .malformed("a control character") }
    guard bytes.last == UInt8(ascii: "\n") else { throw .malformed("it doesn't end with a line's end") }
    // The last blank line: the text may have others.
    let blank = bytes.indices.dropFirst().last {
      bytes[$0] == UInt8(ascii: "\n") && bytes[$0 - 1] == UInt8(ascii: "\n")
    }
    guard let blank else { throw .malformed("no blank line before the signatures") }
    text = String(decoding: bytes[..<blank], as: UTF8.self)
    let lines = bytes[(blank + 1)...].split(separator: UInt8(ascii: "\n"))
    guard !lines.isEmpty, lines.count <= SignedNote.signaturesMaximum else {
      throw .malformed("the signatures' number")
    }
    var signatures: [Signature] = []
    for line in lines { signatures.append(try SignedNote.signature(String(decoding: line, as: UTF8.self))) }
    self.signatures = signatures
  }

  private static func signature(_ line: String) throws(CheckpointFault) -> Signature {
    guard line.hasPrefix(mark) else { throw .malformed("a signature's line without its dash") }
    let parts = line.dropFirst(mark.count).split(separator: " ", omittingEmptySubsequences: false)
    guard parts.count == 2, isName(parts[0]), let bytes = Base64.decode(String(parts[1])), bytes.count > 4 else {
      throw .malformed("a signature's line")
    }
    let keyID = bytes[..<4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    return Signature(name: String(parts[0]), keyID: keyID, bytes: Array(bytes[4...]))
  }

  private static func isName(_ name: Substring) -> Bool {
    !name.isEmpty && !name.unicodeScalars.contains { $0.properties.isWhitespace || $0 == "+" }
  }
}
