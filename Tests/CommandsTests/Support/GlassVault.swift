import Ledger

/// Seals text so that anybody can read it, and says where it belongs: what comes out of the wrong field or subject is
/// noticed.
struct GlassVault: PersonalTextVault {
  struct WrongPlace: Error {}

  func seal(_ clear: String, subject: Identifier, field: StaticString) -> [UInt8] {
    Array("\(subject)|\(field)|\(clear)".utf8)
  }

  func open(_ sealed: [UInt8], subject: Identifier, field: StaticString) throws -> String? {
    let place = Array("\(subject)|\(field)|".utf8)
    guard sealed.starts(with: place) else { throw WrongPlace() }
    return String(decoding: sealed.dropFirst(place.count), as: UTF8.self)
  }
}

extension Event {
  func payload(_ form: PersonalTextForm) throws -> [UInt8] {
    var writer = RecordWriter(form: form)
    write(to: &writer)
    if let failure = writer.failure { throw failure }
    return writer.json.bytes
  }
}

extension Instruction {
  /// The content in clear, which is the same whoever's key it is under.
  func clearText() throws -> String {
    var writer = RecordWriter(form: .clear(GlassVault()))
    writer.json.beginObject()
    write(to: &writer)
    writer.json.endObject()
    if let failure = writer.failure { throw failure }
    return name + String(decoding: writer.json.bytes, as: UTF8.self)
  }
}
