import HTTP
import Testing

@Suite("Secrets that are known are taken out of texts")
struct KnownSecretsTests {
  private static let token = #"ab/cd+ef"gh\ij"#

  @Test(
    "as they are, as JSON has them, as forms have them, and where the text was cut off within them",
    arguments: [
      (#"no: ab/cd+ef"gh\ij."#, "no: ••••."),
      (#"{"token":"ab/cd+ef\"gh\\ij"}"#, #"{"token":"••••"}"#),
      (#"{"token":"ab\/cd+ef\"gh\\ij"}"#, #"{"token":"••••"}"#),
      ("token=ab%2Fcd%2Bef%22gh%5Cij&x=1", "token=••••&x=1"),
      ("Bearer ab/cd+ef", "Bearer ••••"), ("Bearer ab/cd+…", "Bearer ••••…"), ("Bearer ab/cd", "Bearer ab/cd"),
      ("", ""), ("nothing", "nothing"), ("secret two, secret", "•••• two, ••••"),
    ])
  func removed(text: String, expected: String) {
    #expect(KnownSecrets([Self.token, "secret", ""]).removed(from: text) == expected)
  }

  @Test("the longer of two goes first, whose part the shorter is")
  func nested() {
    #expect(KnownSecrets(["pass", "password"]).removed(from: "password pass") == "•••• ••••")
  }
}
