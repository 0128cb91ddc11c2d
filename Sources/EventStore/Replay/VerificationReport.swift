public import Ledger

/// What a verification has looked at, and what it found.
public struct VerificationReport: Sendable {
  /// The positions that were looked at.
  public let first: Int64
  public let last: Int64
  /// Commands before this position were folded and not decided again.
  public let decidedFrom: Int64
  public let events: Int64
  /// Commands that were decided again.
  public let commands: Int
  /// Commands whose content was hashed again and compared with the table of commands.
  public let contentsCompared: Int
  /// Sealed texts that were opened and sealed again.
  public let texts: Int
  /// Sealed texts whose key has been erased: compared as bytes.
  public let erased: Int
  /// Signed checkpoints whose root is the tree's, and signatures that were looked at and are the key's.
  public let checkpoints: Int
  public let signatures: Int
  public let comparedSignatures: Bool
  /// Whether there were tiles to compare.
  public let comparedTiles: Bool
  /// Events that a signed checkpoint covers, from the first on.
  public let signedThrough: Int64
  /// Whether there were keys to open texts with.
  public let comparedKeys: Bool
  /// Whether there was a table of commands to compare.
  public let comparedTable: Bool
  /// Differences, of which `differences` has the first.
  public let total: Int
  public let differences: [LogDifference]

  public var isSound: Bool { total == 0 }

  /// What wasn't looked at, and why.
  public var omissions: [String] {
    var omissions: [String] = []
    if decidedFrom > first {
      omissions.append(
        "commands before event \(decidedFrom) were read and folded, not decided again; their personal text and their "
          + "rows in the table of commands were not compared")
    }
    if !comparedKeys {
      omissions.append("personal text was compared as sealed bytes: no master key was given")
    }
    if checkpoints == 0 { omissions.append("signed checkpoints: there is none of this log") }
    if checkpoints > 0, signedThrough < last {
      omissions.append("events \(signedThrough + 1) to \(last): no signed checkpoint covers them yet")
    }
    if checkpoints > 0, !comparedSignatures { omissions.append("checkpoints' signatures: no key was given") }
    if !comparedTiles { omissions.append("the tree's tiles: there is no database") }
    if !comparedTable { omissions.append("the table of commands: there is no database") }
    return omissions
  }

  public func write(to json: inout JSONWriter) {
    json.beginObject()
    json.field("sound", isSound)
    json.field("first", integer: first)
    json.field("last", integer: last)
    json.field("decided_from", integer: decidedFrom)
    json.field("events", integer: events)
    json.field("commands", integer: Int64(commands))
    json.field("contents_compared", integer: Int64(contentsCompared))
    json.field("texts_verified", integer: Int64(texts))
    json.field("texts_erased", integer: Int64(erased))
    json.field("checkpoints", integer: Int64(checkpoints))
    json.field("signatures", integer: Int64(signatures))
    json.field("signed_through", integer: signedThrough)
    json.key("not_checked")
    json.beginArray()
    for omission in omissions { json.string(omission) }
    json.endArray()
    json.field("differences_total", integer: Int64(total))
    json.key("differences")
    json.beginArray()
    for difference in differences {
      json.beginObject()
      json.field("position", integer: difference.position)
      json.field("field", difference.field)
      json.field("expected", difference.expected)
      json.field("found", difference.found)
      json.endObject()
    }
    json.endArray()
    json.endObject()
  }
}
