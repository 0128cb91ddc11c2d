import EventStore
import LocalStack
import Testing

/// Frames of LZ4: what goes in comes out, also through the tool, and no bytes make trouble.
@Suite struct LZ4FrameTests {
  private static func contents() -> [[UInt8]] {
    var chance = Seed.generator()
    let random = (0..<100_000).map { _ in UInt8.random(in: .min ... .max, using: &chance) }
    let text = Array(String(repeating: "{\"amount\":\"1250\"}", count: 400_000).utf8)
    return [[], [7], Array(repeating: 0, count: 5_000_000), random, text]
  }

  @Test func whatGoesInComesOut() throws {
    for content in Self.contents() {
      let frame = try LZ4Frame.compress(content)
      #expect(try LZ4Frame.decompress(frame, count: content.count) == content)
      #expect(try LZ4Frame.compress(content) == frame)
    }
    #expect(try LZ4Frame.compress(Array(repeating: 1, count: 1_000_000)).count < 10_000)
  }

  /// Several frames, and one that is to be passed over, are one file to the tool.
  @Test func theToolReadsThem() async throws {
    let directory = try TemporaryDirectories.make()
    defer { try? Files.remove(directory) }
    let parts = Self.contents()
    var file = LZ4Frame.skippable(Array("before".utf8))
    for part in parts { file += try LZ4Frame.compress(part) }
    file += LZ4Frame.skippable(Array("after".utf8))
    try Files.write(file, to: "\(directory)/parts.lz4", mode: 0o644)
    _ = try await Program("lz4").output(["-d", "-q", "\(directory)/parts.lz4", "\(directory)/parts"])
    let size = try await Program("stat").output(["-c", "%s", "\(directory)/parts"])
    #expect(Int(size.trimmingPrefix { $0 == " " }.prefix { $0.isNumber }) == parts.reduce(0) { $0 + $1.count })
    try Files.write(parts.flatMap { $0 }, to: "\(directory)/expected", mode: 0o644)
    #expect(try await Program("cmp").run(["\(directory)/parts", "\(directory)/expected"]).exitStatus == 0)
  }

  /// Whatever is wrong with a frame is an error: nothing is read past its end, and no memory taken that it can't fill.
  @Test func badFramesAreRefused() throws {
    let content = Array(String(repeating: "posting ", count: 300).utf8)
    let frame = try LZ4Frame.compress(content)
    #expect(throws: LZ4Fault.self) { try LZ4Frame.decompress(frame, count: content.count - 1) }
    #expect(throws: LZ4Fault.self) { try LZ4Frame.decompress(frame, count: content.count + 1) }
    #expect(throws: LZ4Fault.self) { try LZ4Frame.decompress(frame, count: .max) }
    #expect(throws: LZ4Fault.self) { try LZ4Frame.decompress(frame, count: -1) }
    #expect(throws: LZ4Fault.self) { try LZ4Frame.decompress(frame + [0], count: content.count) }
    #expect(throws: LZ4Fault.self) { try LZ4Frame.decompress([], count: 0) }
    for length in 0..<frame.count {
      #expect(throws: LZ4Fault.self) { try LZ4Frame.decompress(Array(frame[..<length]), count: content.count) }
    }
    var chance = Seed.generator()
    for place in frame.indices {
      var bad = frame
      bad[place] ^= UInt8(1) << UInt8.random(in: 0..<8, using: &chance)
      // A flipped bit shows, or changes nothing of the content.
      if let read = try? LZ4Frame.decompress(bad, count: content.count) { #expect(read == content) }
    }
  }
}
