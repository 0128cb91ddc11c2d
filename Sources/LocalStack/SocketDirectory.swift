import Crypto
import FoundationEssentials
import Glibc

/// Where a cluster's unix socket lives.
///
/// The kernel takes at most 107 bytes for a socket's path, and libpq takes a comma in it for the end of a host. A
/// directory that is too deep, or has a comma, therefore gets a short one under `/tmp`, the same at every start.
enum SocketDirectory {
  static let pathBytesMaximum = 107
  private static let socketName = ".s.PGSQL.5432"

  /// The directory for the cluster in `dataDirectory`.
  static func path(for dataDirectory: String) -> String {
    let near = "\(dataDirectory).socket"
    let bytes = "\(near)/\(socketName)".utf8.count
    guard bytes > pathBytesMaximum || near.contains(",") else { return near }
    let digest = SHA256.hash(data: Data(dataDirectory.utf8))
    return "/tmp/kauri-" + digest.prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// Makes the directory for `owner` alone. One under `/tmp` that somebody else made first is refused: whoever owns the
  /// directory of a socket can put a socket of their own in its place.
  static func prepare(_ path: String, owner: SystemUser) throws {
    try Files.makeDirectory(path, mode: 0o700, owner: owner)
    var information = stat()
    guard lstat(path, &information) == 0, information.st_mode & S_IFMT == S_IFDIR, information.st_uid == owner.userID
    else { throw LocalStackError.failed("the socket's directory \(path) isn't \(owner.name)'s", detail: "remove it") }
    guard chmod(path, 0o700) == 0 else {
      throw LocalStackError.failed("can't set the mode of \(path)", detail: Files.systemError())
    }
  }
}
