import EventStore
import Foundation
import Ledger
import Testing

/// The stored samples: payloads as the log has them, one a line, in `Samples/TYPE-VERSION.json`. They are never
/// changed: what was written once must be read for ever.
@Suite struct SampleTests {
  struct Sample: Sendable, CustomTestStringConvertible {
    let type: String
    let version: Int
    let line: Int
    let payload: [UInt8]

    var testDescription: String { "\(type), version \(version), line \(line)" }
  }

  static let samples: [Sample] = {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Samples")
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))) ?? []
    return files.sorted().flatMap { file -> [Sample] in
      let name = file.dropLast(".json".count).split(separator: "-")
      guard name.count == 2, let version = Int(name[1]), let text = try? Data(contentsOf: folder.appending(path: file))
      else { return [] }
      return text.split(separator: UInt8(ascii: "\n")).enumerated().map { line, payload in
        Sample(type: String(name[0]), version: version, line: line + 1, payload: Array(payload))
      }
    }
  }()

  private let codec = EventCodec(keyring: PersonalKeyring(masterKey: Given.masterKey()))

  @Test func everyTypeHasASampleOfEachOfItsVersions() {
    let stored = Set(Self.samples.map { "\($0.type) \($0.version)" })
    for kind in Event.kinds {
      for version in 1...kind.schemaVersion {
        #expect(stored.contains("\(kind.type) \(version)"))
      }
    }
    let types = Set(Event.kinds.map { $0.type.description })
    #expect(Set(Self.samples.map(\.type)) == types)
  }

  @Test(arguments: samples) func isReadAndWrittenAgainAsItWas(_ sample: Sample) throws {
    let event = try codec.decode(
      type: sample.type, schemaVersion: sample.version, payload: sample.payload, command: Given.command)
    #expect(event.type == sample.type)
    let again = try codec.encode(event, command: Given.command, index: 0)
    if sample.version == event.schemaVersion {
      #expect(String(decoding: again.payload, as: UTF8.self) == String(decoding: sample.payload, as: UTF8.self))
    }
    #expect(!again.sealed, "what was sealed already isn't sealed again")
    let twice = try codec.decode(
      type: event.type, schemaVersion: event.schemaVersion, payload: again.payload, command: Given.command)
    #expect(twice == event)
  }

  @Test(arguments: samples) func aFieldTooManyIsRefused(_ sample: Sample) throws {
    let longer = sample.payload.dropLast() + Array(#","a_field_of_tomorrow":1}"#.utf8)
    #expect(throws: EventCodecFault.self) {
      try codec.decode(
        type: sample.type, schemaVersion: sample.version, payload: Array(longer), command: Given.command)
    }
  }
}
