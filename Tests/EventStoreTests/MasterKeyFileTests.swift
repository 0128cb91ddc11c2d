import Crypto
import EventStore
import Glibc
import LocalStack
import Testing

@Suite struct MasterKeyFileTests {
  private func withFile(
    _ bytes: [UInt8] = Array(0..<32), mode: mode_t = 0o600, _ body: (String) throws -> Void
  ) throws {
    let directory = try TemporaryDirectories.make()
    defer { try? Files.remove(directory) }
    let path = "\(directory)/master.key"
    try Files.writeNew(bytes, to: path, mode: mode)
    try body(path)
  }

  @Test(arguments: [mode_t(0o600), 0o400]) func readsAKeyThatOnlyItsOwnerCanRead(mode: mode_t) throws {
    try withFile(mode: mode) { path in
      let key = try MasterKeyFile(path: path).masterKey()
      #expect(key == SymmetricKey(data: Array(0..<32)))
    }
  }

  @Test(arguments: [mode_t(0o640), 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o666])
  func refusesOneThatOthersMayTouch(mode: mode_t) throws {
    try withFile(mode: mode) { path in
      #expect(throws: MasterKeyFault.tooOpen(path: path, mode: mode)) { try MasterKeyFile(path: path).masterKey() }
    }
  }

  @Test(arguments: [0, 31, 33, 64]) func refusesAnotherLength(count: Int) throws {
    try withFile([UInt8](repeating: 1, count: count)) { path in
      #expect(throws: MasterKeyFault.wrongLength(path: path, bytes: count)) {
        try MasterKeyFile(path: path).masterKey()
      }
    }
  }

  @Test func refusesOneThatSomebodyElseOwns() throws {
    guard geteuid() == 0 else { return }  // Only root can give a file away.
    try withFile { path in
      #expect(chown(path, 65_534, 65_534) == 0)
      #expect(throws: MasterKeyFault.notOurs(path: path)) { try MasterKeyFile(path: path).masterKey() }
    }
  }

  @Test func whatIsMissingOrNoFileIsToldPlainly() throws {
    try withFile { path in
      let missing = #expect(throws: MasterKeyFault.self) { try MasterKeyFile(path: "\(path).not").masterKey() }
      #expect(missing?.description == "the master key \(path).not can't be read: No such file or directory")
      let directory = Files.parent(of: path)
      #expect(throws: MasterKeyFault.notAFile(path: directory)) { try MasterKeyFile(path: directory).masterKey() }
      let pipe = "\(directory)/pipe"
      #expect(mkfifo(pipe, 0o600) == 0)
      #expect(throws: MasterKeyFault.notAFile(path: pipe)) { try MasterKeyFile(path: pipe).masterKey() }
    }
  }
}
