import Glibc
import LocalStack

/// The file that a submission reads and the two that it writes, looked at before anything is written: nobody's own
/// file is to be lost to a name typed wrong.
enum SubmissionFiles {
  /// Makes sure that they are three files, whatever links lead to them, and that what is there may be replaced.
  ///
  /// - Returns: the state that a broken-off run left, or nil when there is none.
  /// - Throws: ``InputFault``. Nothing was changed then.
  static func check(input: String, state: String, rejects: String?) throws -> SubmissionState? {
    let (inputPlace, statePlace) = (try place(of: input), try place(of: state))
    guard inputPlace != statePlace else { throw sameFile(input, "the commands", state, "the state") }
    if let rejects {
      let rejectsPlace = try place(of: rejects)
      guard rejectsPlace != inputPlace else { throw sameFile(input, "the commands", rejects, "the rejects") }
      guard rejectsPlace != statePlace else { throw sameFile(state, "the state", rejects, "the rejects") }
    }
    return try SubmissionState.read(state)
  }

  /// Where a file is: by its number on its device, or by its path when it isn't there yet.
  private enum Place: Equatable {
    case existing(device: dev_t, number: ino_t)
    case new(path: String)
  }

  private static func place(of path: String) throws -> Place {
    var information = stat()
    if stat(path, &information) == 0 { return .existing(device: information.st_dev, number: information.st_ino) }
    // What is made through such a link may be any of the others.
    guard Files.linkTarget(path) == nil else { throw InputFault(description: "\(path) is a link that leads nowhere") }
    return .new(path: Files.resolve(path))
  }

  private static func sameFile(_ one: String, _ use: String, _ other: String, _ otherUse: String) -> InputFault {
    InputFault(
      description: "\(one) (\(use)) and \(other) (\(otherUse)) are the same file; nothing was changed: name another one"
    )
  }
}
