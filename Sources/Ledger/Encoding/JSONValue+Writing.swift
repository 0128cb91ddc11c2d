extension JSONValue {
  /// The value in compact form: no spaces, strings with only the escapes they need, fields in their order, numbers as
  /// they are written.
  public var compactBytes: [UInt8] {
    var writer = JSONWriter(reserving: rawBytes.count)
    write(to: &writer)
    return writer.bytes
  }

  /// Writes the value in compact form.
  public func write(to writer: inout JSONWriter) {
    // The ends of the containers that are open, innermost last.
    var open: [(end: UInt32, isObject: Bool)] = []
    let end = token.next
    var position = index
    while position < end {
      let token = tape.tokens[Int(position)]
      position += 1
      switch token.kind {
      case .null: writer.null()
      case .boolean: writer.bool(token.flag)
      case .number: writer.raw(tape.bytes[token.range])
      case .string: write(token, to: &writer)
      case .name:
        write(token, to: &writer)
        writer.endKey()
      case .array:
        writer.beginArray()
        open.append((token.next, false))
      case .object:
        writer.beginObject()
        open.append((token.next, true))
      }
      while let innermost = open.last, innermost.end == position {
        open.removeLast()
        if innermost.isObject { writer.endObject() } else { writer.endArray() }
      }
    }
  }

  private func write(_ token: JSONToken, to writer: inout JSONWriter) {
    if token.flag {
      tape.unescaped(token).withUnsafeBytes { writer.string(utf8: $0) }
    } else {
      tape.withBytes(token.range) { writer.string(utf8: $0) }
    }
  }
}
