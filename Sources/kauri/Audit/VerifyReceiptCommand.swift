import ArgumentParser
import EventStore
import Ledger
import LocalStack
import Server

/// `kauri verify-receipt`: checks a receipt, and the answer around it, with nothing but the bank's public key.
struct VerifyReceiptCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify-receipt",
    abstract: "Check offline that a command is in a bank's log, by the receipt that its answer came with.",
    discussion: """
      The file holds the whole answer of a command that was given with Prefer: receipt, or its receipt alone. Whatever \
      the answer says is compared with the rows that the receipt proves, and what can't be compared is named. The key \
      is the bank's, from the bank: without it nothing says who signed. Exit status 0 when everything holds, 1 when \
      something doesn't, 2 when the files aren't what they should be.
      """)

  @Argument(help: ArgumentHelp("The answer or the receipt, as JSON.", valueName: "file"))
  var file: String

  @Option(help: ArgumentHelp("The bank's public key, as kauri dev writes it to checkpoint.pub.", valueName: "file"))
  var key: String

  @Flag(help: "Print the result as JSON.")
  var json = false

  func run() async throws {
    let given = try GivenReceipt(contents(), file)
    guard let text = Files.read(key), let key = CheckpointPublicKey(line: text) else {
      throw ValidationError("\(key) doesn't hold a public key: one line, ed25519 and its base64.")
    }
    var report = ReceiptReport()
    do throws(ReceiptFault) {
      report.proved = try given.receipt.verify(key)
    } catch {
      report.fault = error.description
    }
    if let proved = report.proved { await report.compare(given.answer, with: proved.rows) }
    report.print(asJSON: json)
    if !report.isValid { throw ExitCode(1) }
  }

  private func contents() throws -> [UInt8] {
    guard let text = Files.read(file) else { throw ValidationError("\(file) can't be read.") }
    return Array(text.utf8)
  }
}

/// A receipt, and the answer that it came with.
private struct GivenReceipt {
  let receipt: Receipt
  /// Nil where the file holds the receipt alone.
  let answer: JSONValue?

  /// - Throws: `ValidationError` when it is neither an answer with a receipt nor a receipt.
  init(_ bytes: [UInt8], _ file: String) throws {
    let limits = JSONLimits(elementsPerArray: .max, stringLength: .max)
    do throws(JSONFault) {
      let root = try JSONDocument(bytes, limits: limits).root
      var object = try root.object()
      guard let inner = try object.optional("receipt") else {
        receipt = try Receipt(root)
        answer = nil
        return
      }
      receipt = try Receipt(inner)
      answer = object.count > 1 ? root : nil
    } catch {
      throw ValidationError("\(file) holds no receipt: \(error.pointer) \(error.reason).")
    }
  }
}
