/// Places in a document as JSON pointers (RFC 6901).
enum JSONPointer {
  /// Appends one step, the name of a field or the index of an element.
  static func append(_ step: String, to pointer: inout String) {
    pointer.append("/")
    for scalar in step.unicodeScalars {
      switch scalar {
      case "~": pointer.append("~0")
      case "/": pointer.append("~1")
      default: pointer.unicodeScalars.append(scalar)
      }
    }
  }
}

extension JSONTape {
  /// The pointer to the value at a token, in the document whose value is at `root`.
  func pointer(to target: Int, from root: Int) -> String {
    var pointer = ""
    var container = root
    while container != target {
      var child = container + 1
      var position = 0
      let isObject = tokens[container].isKind(.object)
      if isObject { child += 1 }
      while Int(tokens[child].next) <= target {
        child = Int(tokens[child].next) + (isObject ? 1 : 0)
        position += 1
      }
      JSONPointer.append(isObject ? text(of: tokens[child - 1]) : String(position), to: &pointer)
      container = child
    }
    return pointer
  }
}

extension JSONScanner {
  /// The fault of what is being scanned.
  ///
  /// - Parameters:
  ///   - place: where, as an offset in `text`; where the scanner stands, when nil.
  ///   - inValue: whether it is a fault of the value that the open container is about to take, not of the container.
  func fault(_ reason: String, at place: Int? = nil, inValue: Bool = false) -> JSONFault {
    JSONFault(pointer: pointer(inValue: inValue), offset: (place ?? index) - base, reason: reason)
  }

  private func pointer(inValue: Bool) -> String {
    var steps: [String] = []
    var container = open
    // The token that the step into the container leads to; behind the last one while it isn't there yet.
    var child = tokens.count
    var isStep = inValue
    while container != JSONScanner.none {
      if isStep {
        steps.append(
          tokens[container].isKind(.object) ? name(tokens[child - 1]) : String(tokens[container].count))
      }
      isStep = true
      child = container
      container = Int(tokens[container].next)
    }
    var pointer = ""
    for step in steps.reversed() { JSONPointer.append(step, to: &pointer) }
    return pointer
  }

  private func name(_ token: JSONToken) -> String {
    let spelled = UnsafeRawBufferPointer(rebasing: text[token.range])
    return token.flag
      ? String(decoding: JSONEscape.undo(spelled), as: UTF8.self) : String(decoding: spelled, as: UTF8.self)
  }
}
