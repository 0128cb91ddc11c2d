import Glibc

/// An account of the operating system, as the peer authentication of a unix socket sees it.
package struct SystemUser: Sendable, Equatable {
  package let name: String
  package let userID: UInt32
  package let groupID: UInt32

  /// The account that this process acts as.
  package static func current() throws -> SystemUser {
    try lookUp("user \(geteuid())") { getpwuid_r(geteuid(), $0, $1, $2, $3) }
  }

  static func named(_ name: String) throws -> SystemUser {
    try lookUp("user \(name)") { getpwnam_r(name, $0, $1, $2, $3) }
  }

  static func withID(_ userID: UInt32) throws -> SystemUser {
    try lookUp("user \(userID)") { getpwuid_r(userID, $0, $1, $2, $3) }
  }

  /// The account that Postgres runs as for a cluster in `directory`: the directory's owner where there is one already,
  /// else the current account. Postgres refuses to run as root, so root takes the account that Debian's package made.
  package static func forPostgres(existing directory: String) throws -> SystemUser {
    let current = try SystemUser.current()
    var information = stat()
    if stat(directory, &information) == 0 {
      if information.st_uid == current.userID, current.userID != 0 { return current }
      if current.userID == 0, information.st_uid != 0 { return try withID(information.st_uid) }
      if current.userID != 0 {
        let owner = (try? withID(information.st_uid))?.name ?? "user \(information.st_uid)"
        throw LocalStackError.notOurs(directory: directory, owner: owner)
      }
    }
    return current.userID == 0 ? try named("postgres") : current
  }

  private typealias PasswordEntryCall = (
    UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int,
    UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
  ) -> Int32

  private static func lookUp(_ what: String, _ call: PasswordEntryCall) throws -> SystemUser {
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    let user: SystemUser? = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16_384) { buffer in
      guard let base = buffer.baseAddress, call(&entry, base, buffer.count, &found) == 0, found != nil,
        let name = entry.pw_name
      else { return nil }
      return SystemUser(name: String(cString: name), userID: entry.pw_uid, groupID: entry.pw_gid)
    }
    guard let user else { throw LocalStackError.failed("the system doesn't know \(what)", detail: "") }
    return user
  }
}
