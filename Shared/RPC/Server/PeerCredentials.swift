import CSystem
import Glibc

/// What the system says of the process at the other end of a Unix socket, as of its `connect` (`man 7 unix`).
struct PeerCredentials: Equatable {
  let uid: UInt32
  let gid: UInt32
  let pid: Int32
  /// The supplementary groups: membership of ours lets in, as it does at the socket's file.
  let groups: [UInt32]

  /// More than Linux's 65 536 is not possible; more than this is not looked at.
  private static let groupLimit = 1024

  /// Nil when the system does not say, which means that the peer is let in nowhere.
  init?(of descriptor: Int32) {
    var (uid, gid, pid): (UInt32, UInt32, Int32) = (0, 0, 0)
    guard csystem_peer_credentials(descriptor, &uid, &gid, &pid) == 0 else { return nil }
    var groups = [UInt32](repeating: 0, count: PeerCredentials.groupLimit)
    let count = csystem_peer_groups(descriptor, &groups, Int32(PeerCredentials.groupLimit))
    self.init(uid: uid, gid: gid, pid: pid, groups: Array(groups[..<max(0, Int(count))]))
  }

  init(uid: UInt32, gid: UInt32, pid: Int32 = 0, groups: [UInt32] = []) {
    self.uid = uid
    self.gid = gid
    self.pid = pid
    self.groups = groups
  }

  /// Root, the user that serves, and members of its group: whom the socket's mode 0660 lets in. Asked again, because a
  /// directory, a mount or an ACL may have opened the file to others.
  func mayConnect(to uid: UInt32 = geteuid(), group gid: UInt32 = getegid()) -> Bool {
    self.uid == 0 || self.uid == uid || self.gid == gid || groups.contains(gid)
  }

  var peer: Peer { Peer(kind: .unix(uid: uid, gid: gid, pid: pid)) }
}
