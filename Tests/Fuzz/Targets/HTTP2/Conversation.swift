/// How an input becomes what a peer sends.
enum InputKind {
  /// A byte of options, then what is sent as it is.
  case bytes
  /// A byte of options, then a `FrameScript`.
  case script
}

/// One peer's side of a connection: says what the input tells it to, while the other side has its turns in between.
struct Conversation {
  let peer: PeerSocket
  let role: FrameScript.Role
  /// Lets the other side do what is there to be done.
  let turn: () -> Void

  static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
  /// Steps of a script; more say nothing new.
  private static let stepLimit = 200

  func run(_ bytes: UnsafeRawBufferPointer, _ kind: InputKind) {
    var input = Input(bytes)
    let options = input.byte()
    if options & 1 == 0 {
      if role == .client { peer.send(Self.preface) }
      peer.send(FrameScript.frame(4, 0, 0, []))
    }
    let reads = options & 2 == 0
    switch kind {
    case .bytes:
      let all = input.remainder()
      let piece = [max(all.count, 1), 1, 7, 100][Int(options >> 2 & 3)]
      for start in stride(from: 0, to: all.count, by: piece) {
        peer.send(all[start..<min(start + piece, all.count)])
        turn()
        if reads { peer.drain() }
      }
    case .script:
      var script = FrameScript(role: role)
      for _ in 0..<Self.stepLimit where !input.isEmpty {
        switch script.next(&input) {
        case .send(let frames): peer.send(frames)
        case .pause: turn()
        case .read:
          turn()
          peer.drain()
        }
      }
    }
    turn()
  }
}
