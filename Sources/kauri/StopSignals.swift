import Glibc
import UnixSignals

/// The signals that ask a command to stop.
enum StopSignals {
  /// Those of `signals` that the command wasn't started so as to survive (`nohup`, or `&` in a script).
  static func heeded(_ signals: [UnixSignal]) -> [UnixSignal] {
    signals.filter { signal in
      var disposition = sigaction()
      sigaction(signal.rawValue, nil, &disposition)
      // SIG_IGN, which Swift can't compare functions with.
      return unsafeBitCast(disposition.__sigaction_handler.sa_handler, to: Int.self) != 1
    }
  }
}
