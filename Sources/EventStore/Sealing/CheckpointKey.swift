import Crypto
import Ledger

/// Where the key comes from that checkpoints are signed with. A file does for one machine; a vault will do for a bank.
public protocol CheckpointKeySource: Sendable {
  func checkpointKey() throws(CheckpointKeyFault) -> CheckpointKey
}

/// Why there is no key, in words. Nothing of a key, or of what was taken for one, is ever part of it.
public struct CheckpointKeyFault: Error, Hashable, Sendable, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }
}

/// A key in a file of 32 random bytes, an Ed25519 private key as RFC 8032 (section 5.1.5) has it, owned by the
/// account of this process and closed to everybody else.
public struct CheckpointKeyFile: CheckpointKeySource {
  public let path: String

  public init(path: String) {
    self.path = path
  }

  public func checkpointKey() throws(CheckpointKeyFault) -> CheckpointKey {
    let key: CheckpointKey?
    do throws(SecretFile.Fault) {
      key = try SecretFile.read(path, length: 32) { CheckpointKey(rawRepresentation: $0) }
    } catch {
      throw CheckpointKeyFault(error, path: path)
    }
    guard let key else { throw CheckpointKeyFault("the checkpoint key \(path) isn't an Ed25519 key") }
    return key
  }
}

extension CheckpointKeyFault {
  fileprivate init(_ fault: SecretFile.Fault, path: String) {
    let name = "the checkpoint key \(path)"
    switch fault {
    case .unreadable(let cause): self.init("\(name) can't be read: \(cause)")
    case .notAFile: self.init("\(name) isn't a file")
    case .tooOpen(let mode):
      self.init(
        "\(name) has mode 0\(String(mode, radix: 8)): nobody but its owner may have access; chmod 0600 it")
    case .notOurs: self.init("\(name) isn't owned by the account that this process runs as")
    case .wrongLength(let bytes): self.init("\(name) must hold 32 random bytes, and holds \(bytes)")
    }
  }
}

/// The private key that checkpoints are signed with.
public struct CheckpointKey: Sendable {
  private let key: Curve25519.Signing.PrivateKey

  /// - Returns: nil unless the bytes are an Ed25519 private key.
  init?(rawRepresentation bytes: [UInt8]) {
    guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: bytes) else { return nil }
    self.key = key
  }

  /// A new one, for tests and first starts.
  public init() {
    key = Curve25519.Signing.PrivateKey()
  }

  public var publicKey: CheckpointPublicKey { CheckpointPublicKey(key.publicKey) }

  /// Signs a checkpoint under its origin as the key's name.
  package func sign(_ checkpoint: Checkpoint) throws -> SignedNote {
    let text = checkpoint.text
    let signature = try key.signature(for: Array(text.utf8))
    return SignedNote(
      text: text,
      signatures: [
        SignedNote.Signature(
          name: checkpoint.origin, keyID: publicKey.id(named: checkpoint.origin), bytes: Array(signature))
      ])
  }
}

/// The public half: what somebody outside needs to check checkpoints. It says nothing of whose it is; whoever checks
/// has to have it from the bank itself.
public struct CheckpointPublicKey: Sendable {
  private let key: Curve25519.Signing.PublicKey

  fileprivate init(_ key: Curve25519.Signing.PublicKey) {
    self.key = key
  }

  /// - Returns: nil unless there are the 32 bytes of an Ed25519 public key (RFC 8032, section 5.1.5).
  public init?(bytes: [UInt8]) {
    guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes) else { return nil }
    self.key = key
  }

  /// Reads the line that a key's file holds: `ed25519 <base64>`.
  ///
  /// - Returns: nil for anything else.
  public init?(line: String) {
    let parts = line.split(whereSeparator: \.isWhitespace)
    guard parts.count == 2, parts[0] == "ed25519", let bytes = Base64.decode(String(parts[1])) else { return nil }
    self.init(bytes: bytes)
  }

  public var bytes: [UInt8] { Array(key.rawRepresentation) }

  /// What a key's file holds, without the line's end.
  public var line: String { "ed25519 \(Base64.encode(bytes))" }

  /// The id that a signed note calls the key by, under a name: the first four bytes of
  /// SHA-256(name ‖ 0x0A ‖ 0x01 ‖ key).
  public func id(named name: String) -> UInt32 {
    SHA256.hash(data: Array(name.utf8) + [0x0A, 0x01] + bytes).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// Checks a checkpoint's signature, and reads it.
  ///
  /// - Throws: `CheckpointFault`.
  public func verify(note: String) throws(CheckpointFault) -> Checkpoint {
    let note = try SignedNote(parsing: note)
    guard let checkpoint = Checkpoint(text: note.text) else {
      throw .malformed("its text isn't an origin, a size and a root")
    }
    let id = id(named: checkpoint.origin)
    // Signatures by other keys are somebody else's to check.
    let own = note.signatures.filter { $0.name == checkpoint.origin && $0.keyID == id }
    guard !own.isEmpty else { throw .unknownSigner }
    let text = Array(note.text.utf8)
    guard own.allSatisfy({ key.isValidSignature($0.bytes, for: text) }) else { throw .forged }
    return checkpoint
  }
}
