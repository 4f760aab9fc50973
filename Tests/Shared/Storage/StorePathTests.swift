import Glibc
import Storage
import Testing

@Suite("DATABASE_URL")
struct StorePathTests {
  @Test(
    "names a directory",
    arguments: [("sqlite:/var/lib/oms", "/var/lib/oms"), ("sqlite:data", "data"), ("sqlite:./a b", "./a b")])
  func accepted(url: String, directory: String) throws {
    #expect(try StorePath.directory(fromURL: url) == directory)
  }

  @Test(
    "is refused with what is allowed", arguments: ["", "sqlite:", "mysql:/x", "/var/lib", "sqlite://data", "SQLITE:x"])
  func refused(url: String) {
    let error = #expect(throws: StorageError.self) { try StorePath.directory(fromURL: url) }
    #expect(error?.kind == .cannotOpen)
    #expect(error?.description.contains("\"\(url)\"") == true)
    #expect(error?.description.contains("sqlite:DIR") == true)
  }

  @Test("a missing directory is made with its parents, for this user only; so is the file")
  func prepares() throws {
    let store = try TemporaryStore()
    let directory = store.directory + "/a/b"
    let path = try StorePath.prepare(directory: directory, file: "s.sqlite")
    defer {
      unlink(path)
      rmdir(directory)
      rmdir(store.directory + "/a")
    }
    #expect(mode(directory) == 0o700)
    #expect(mode(path) == 0o600)
    #expect(try StorePath.prepare(directory: directory, file: "s.sqlite") == path, "a second start finds it")
  }

  @Test("a directory that can't be made is an error that names it")
  func cannotPrepare() throws {
    let store = try TemporaryStore()
    _ = try StorePath.prepare(directory: store.directory, file: "test.sqlite")
    let error = #expect(throws: StorageError.self) {
      try StorePath.prepare(directory: store.path + "/below-a-file", file: "s.sqlite")
    }
    #expect(error?.kind == .cannotOpen)
    #expect(error?.message.contains(store.path) == true)
  }

  private func mode(_ path: String) -> mode_t {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
  }
}
