import Glibc

/// A data directory held by one `kauri dev` alone. The kernel lets go of it when the process ends, however it ends.
package final class StackLock: Sendable {
  private let file: Int32

  /// - Throws: ``LocalStackError/inUse(directory:pid:)`` when another process holds it.
  package init(_ directory: String) throws {
    let path = "\(directory)/lock"
    // Children must not inherit it: they outlive a process that was killed, and would hold the lock for it.
    let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw LocalStackError.failed("can't open \(path)", detail: Files.systemError()) }
    guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
      close(file)
      throw LocalStackError.inUse(directory: directory, pid: Files.read(path).flatMap { Int32($0.trimmed) })
    }
    let words = "\(getpid())\n"
    guard ftruncate(file, 0) == 0, write(file, words, words.utf8.count) == words.utf8.count else {
      let cause = Files.systemError()
      close(file)
      throw LocalStackError.failed("can't write \(path)", detail: cause)
    }
    self.file = file
  }

  deinit {
    // Closing alone wouldn't do: a child that has been forked and hasn't begun its program yet has the file open too.
    flock(file, LOCK_UN)
    close(file)
  }
}
