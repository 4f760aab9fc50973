import Glibc

/// At most the first 200 characters: what came from outside is named in errors, but must not fill them.
public func quotable(_ text: String) -> String {
  text.utf8.count <= 200 ? text : String(text.prefix(200)) + "…"
}

/// Not every store can keep such a text (PostgreSQL), and nobody means one.
public func hasNUL(_ text: String) -> Bool {
  text.utf8.withContiguousStorageIfAvailable { bytes in
    bytes.baseAddress.map { memchr($0, 0, bytes.count) != nil } ?? false
  } ?? text.utf8.contains(0)
}
