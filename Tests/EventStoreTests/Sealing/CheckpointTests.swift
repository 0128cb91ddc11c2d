import Crypto
import EventStore
import Foundation
import Glibc
import Ledger
import LocalStack
import Testing

@Suite struct CheckpointTests {
  private static let key = CheckpointKey()
  private static let checkpoint = Checkpoint(
    origin: Checkpoint.origin(book: Given.account, incarnation: 3), size: 20_852_163,
    root: .leaf(Array("anything".utf8)))

  @Test func theNoteIsWhatC2SPSays() throws {
    let note = try Self.key.sign(Self.checkpoint).note
    let origin = "kauri.\(Given.account)/3"
    let lines = note.components(separatedBy: "\n")
    #expect(lines.count == 6 && lines[5].isEmpty)
    #expect(lines[0] == origin && lines[1] == "20852163" && lines[3].isEmpty)
    #expect(lines[2] == Data(Self.checkpoint.root.bytes).base64EncodedString())
    // The signature's line, taken apart by other means than the code under test.
    let parts = lines[4].components(separatedBy: " ")
    #expect(parts.count == 3 && parts[0] == "\u{2014}" && parts[1] == origin)
    let signature = try #require(Data(base64Encoded: parts[2]))
    let publicKey = Self.key.publicKey.bytes
    let id = SHA256.hash(data: Array(origin.utf8) + [0x0A, 0x01] + publicKey).prefix(4)
    #expect(Array(signature.prefix(4)) == Array(id) && signature.count == 68)
    let text = "\(origin)\n20852163\n\(lines[2])\n"
    #expect(
      try Curve25519.Signing.PublicKey(rawRepresentation: publicKey)
        .isValidSignature(signature.dropFirst(4), for: Data(text.utf8)))
    #expect(try Self.key.publicKey.verify(note: note) == Self.checkpoint)
  }

  /// The note of golang.org/x/mod/sumdb/note's documentation, which is where the form comes from.
  @Test func aNoteOfAnotherImplementationIsRead() throws {
    let line = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    let note = try SignedNote(
      parsing: """
        If you think cryptography is the answer to your problem,
        then you don't know what your problem is.

        \u{2014} PeterNeumann \(line)

        """)
    let encoded = try #require(Data(base64Encoded: "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"))
    let key = try #require(CheckpointPublicKey(bytes: Array(encoded.dropFirst())))
    let signature = try #require(note.signatures.first)
    #expect(note.signatures.count == 1 && signature.name == "PeterNeumann" && signature.keyID == 0xc74f_20a3)
    #expect(key.id(named: "PeterNeumann") == signature.keyID)
    #expect(
      try Curve25519.Signing.PublicKey(rawRepresentation: key.bytes)
        .isValidSignature(signature.bytes, for: Data(note.text.utf8)))
    #expect(throws: CheckpointFault.malformed("its text isn't an origin, a size and a root")) {
      try key.verify(note: note.note)
    }
  }

  @Test func everyChangedByteIsFound() throws {
    let note = Array(try Self.key.sign(Self.checkpoint).note.utf8)
    for place in note.indices {
      for change in [UInt8(0x01), 0x20, 0x80] {
        var changed = note
        changed[place] ^= change
        let text = String(decoding: changed, as: UTF8.self)
        #expect(throws: CheckpointFault.self, "byte \(place) ^ \(change)") { try Self.key.publicKey.verify(note: text) }
      }
    }
    for length in note.indices {
      #expect(throws: CheckpointFault.self) {
        try Self.key.publicKey.verify(note: String(decoding: note.prefix(length), as: UTF8.self))
      }
    }
  }

  @Test func otherKeysSignaturesAreIgnoredAndMissingOnesRefused() throws {
    let (mine, other) = (Self.key, CheckpointKey())
    let note = try mine.sign(Self.checkpoint).note
    #expect(throws: CheckpointFault.unknownSigner) { try other.publicKey.verify(note: note) }
    // A second signature, as of a witness, harms nobody.
    let line = try #require(try other.sign(Self.checkpoint).note.split(separator: "\n").last)
    let both = note + line + "\n"
    #expect(try mine.publicKey.verify(note: both) == Self.checkpoint)
    #expect(try other.publicKey.verify(note: both) == Self.checkpoint)
    // A signature that goes by my key's name and id, of another text.
    var larger = Self.checkpoint
    larger.size += 1
    let forged = larger.text + "\n" + (note.split(separator: "\n").last ?? "") + "\n"
    #expect(throws: CheckpointFault.forged) { try mine.publicKey.verify(note: forged) }
  }

  @Test(arguments: [
    "a\n1\n", "a\n1\n\n", "\n1\nROOT\n", "a\n01\nROOT\n", "a\n+1\nROOT\n", "a\n-1\nROOT\n", "a\n1\nROOT\nmore\n",
    "a\n1\nROOT", "a\n1\nAAAA\n", "a\n9223372036854775808\nROOT\n", "a\n1 \nROOT\n", "",
  ])
  func textsThatAreNoCheckpointAreRefused(text: String) {
    let root = TreeHash.empty.base64
    #expect(Checkpoint(text: text.replacing("ROOT", with: root)) == nil)
    #expect(Checkpoint(text: "a\n0\n\(root)\n") == Checkpoint(origin: "a", size: 0, root: .empty))
  }

  @Test func publicKeysGoThroughTheirLine() {
    let key = Self.key.publicKey
    #expect(key.line.hasPrefix("ed25519 ") && key.bytes.count == 32)
    #expect(CheckpointPublicKey(line: key.line + "\n")?.bytes == key.bytes)
    for line in ["", "ed25519", "ed25519 AAAA", "rsa \(Base64.encode(key.bytes))", key.line + " more"] {
      #expect(CheckpointPublicKey(line: line) == nil, "\(line)")
    }
  }

  @Test func theKeysFileIsForItsOwnerAlone() throws {
    let directory = try TemporaryDirectories.make()
    defer { try? Files.remove(directory) }
    let path = "\(directory)/checkpoint.key"
    let file = CheckpointKeyFile(path: path)
    func fault() -> String? {
      do throws(CheckpointKeyFault) {
        _ = try file.checkpointKey()
        return nil
      } catch {
        return error.description
      }
    }
    #expect(fault()?.contains("can't be read: No such file or directory") == true)
    try Files.write([UInt8](repeating: 7, count: 31), to: path, mode: 0o600)
    #expect(fault()?.contains("must hold 32 random bytes, and holds 31") == true)
    let seed = (0..<32).map { UInt8($0) }
    try Files.write(seed, to: path, mode: 0o640)
    #expect(fault()?.contains("mode 0640") == true)
    try Files.write(seed, to: path, mode: 0o600)
    #expect(fault() == nil)
    let expected = try Curve25519.Signing.PrivateKey(rawRepresentation: seed).publicKey.rawRepresentation
    #expect(try file.checkpointKey().publicKey.bytes == Array(expected))
    try Files.remove(path)
    try Files.makeDirectory(path, mode: 0o700)
    #expect(fault()?.contains("isn't a file") == true)
  }
}
