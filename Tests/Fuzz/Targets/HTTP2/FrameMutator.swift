import CFuzzer

/// Mutates frames of HTTP/2 so that they stay frames: a change that breaks a length loses everything behind it.
enum FrameMutator {
  private static let headerCount = 9

  static func mutate(_ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ limit: Int, _ seed: UInt32) -> Int {
    var random = Random(state: UInt64(seed) | 1 << 32)
    // Now and then without mercy: what is no frame has to be tried, too.
    guard size > headerCount + 1, random.below(8) > 0 else { return LLVMFuzzerMutate(data, size, limit) }
    var frames = split(UnsafeBufferPointer(start: data + 1, count: size - 1))
    let index = random.below(frames.count)
    switch random.below(8) {
    case 0: frames.insert(frames[index], at: random.below(frames.count + 1))
    case 1 where frames.count > 1: frames.remove(at: index)
    case 2: frames.swapAt(index, random.below(frames.count))
    case 3: frames[index] = changedHeader(frames[index], &random)
    case 4: data[0] = UInt8(random.below(256))
    default: frames[index] = changedPayload(frames[index])
    }
    var count = 1
    for byte in frames.joined() where count < limit {
      data[count] = byte
      count += 1
    }
    return count
  }

  /// The last one may be anything.
  private static func split(_ bytes: UnsafeBufferPointer<UInt8>) -> [[UInt8]] {
    var frames: [[UInt8]] = []
    var start = 0
    while start < bytes.count {
      var end = bytes.count
      if bytes.count - start >= headerCount {
        let length = Int(bytes[start]) << 16 | Int(bytes[start + 1]) << 8 | Int(bytes[start + 2])
        end = min(end, start + headerCount + length)
      }
      frames.append(Array(bytes[start..<end]))
      start = end
    }
    return frames
  }

  private static func changedHeader(_ frame: [UInt8], _ random: inout Random) -> [UInt8] {
    guard frame.count >= headerCount else { return frame }
    var frame = frame
    switch random.below(3) {
    case 0: frame[3] = UInt8(random.below(11))
    case 1: frame[4] = [0, 1, 4, 5, 8, 9, 13, 0x20, 0x25, 0xff][random.below(10)]
    default: frame[8] = UInt8(random.below(12))
    }
    return frame
  }

  private static func changedPayload(_ frame: [UInt8]) -> [UInt8] {
    guard frame.count >= headerCount else { return frame }
    var payload = Array(frame[headerCount...])
    let count = payload.count
    payload += [UInt8](repeating: 0, count: 64)
    let size = payload.withUnsafeMutableBufferPointer { LLVMFuzzerMutate($0.baseAddress, count, $0.count) }
    let length = [UInt8(size >> 16 & 0xff), UInt8(size >> 8 & 0xff), UInt8(size & 0xff)]
    return length + frame[3..<headerCount] + payload[..<size]
  }
}

/// Of the seed that libFuzzer gives, so that a run can be repeated.
private struct Random {
  var state: UInt64

  mutating func below(_ limit: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % limit
  }
}
