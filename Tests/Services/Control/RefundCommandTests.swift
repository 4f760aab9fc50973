import EventLoop
import Glibc
import Messages
import RPC
import ServiceKit
import Stubs
import Testing

@testable import Control

@Suite("omsctl refunds and returns")
struct RefundCommandTests {
  private typealias PostSales = Omsconnector.V1.PostSalesServiceMethods

  private static let refund = Omsconnector.V1.Refund(
    creditNoteNumber: "CDE1", incrementId: "100000007", state: .stuck, refundType: "return", currency: "EUR",
    amount: .init(value: "17.99"), refundedAmount: .init(value: "10"),
    documents: [.init(creditmemoId: 3, invoiceId: 2, online: true, amount: .init(value: "10"))],
    reason: "the shop has 10 EUR left", omsStatus: "RELEASED",
    lines: [.init(lineNumber: 1, orderItemId: 5, sku: "MUG", amount: .init(value: "10"), wholeUnit: true)],
    attributes: [.init(name: "channel", value: "hotline")])

  @Test(
    "list asks for the states that are wanted",
    arguments: [
      ([], []), (["--stuck"], [.stuck]), (["--open"], [.pending, .due]),
    ] as [([String], [Omsconnector.V1.RefundState])])
  func list(flags: [String], states: [Omsconnector.V1.RefundState]) async throws {
    let asked = Lock<[Omsconnector.V1.RefundState]>([])
    let answer = try await run(["refunds", "list"] + flags) { router in
      router.unary(PostSales.listRefunds) { request, _ in
        asked.withLock { $0 = request.states }
        return .init(refunds: [Self.refund])
      }
    }
    #expect(answer.code == 0 && asked.withLock { $0 } == states)
    for word in ["CDE1", "stuck", "17.99 EUR", "10 EUR", "the shop has"] { #expect(answer.out.contains(word)) }
  }

  @Test("show tells of memos and lines")
  func show() async throws {
    let answer = try await run(["refunds", "show", "CDE1"]) { router in
      router.unary(PostSales.getRefund) { request, _ in
        #expect(request.creditNoteNumber == "CDE1")
        return .init(refund: Self.refund)
      }
    }
    for text in ["credit memo 3", "online, by invoice 2", "the whole unit", "channel", "hotline"] {
      #expect(answer.out.contains(text))
    }
  }

  @Test("resume and settle name the refund; settle needs a note")
  func decide() async throws {
    let settled = try await run(["refunds", "settle", "CDE1", "--note", "by hand, Ann"]) { router in
      router.unary(PostSales.settleRefund) { request, _ in
        #expect(request.creditNoteNumber == "CDE1" && request.note == "by hand, Ann")
        return .init(refund: Self.refund)
      }
    }
    #expect(settled.code == 0)
    let resumed = try await run(["refunds", "resume", "CDE1"]) { router in
      router.unary(PostSales.resumeRefund) { request, _ in
        #expect(request.creditNoteNumber == "CDE1")
        return .init(refund: Self.refund)
      }
    }
    #expect(resumed.code == 0)
    let missing = try await run(["refunds", "settle", "CDE1"])
    #expect(missing.code == 2 && missing.err.contains("--note"))
    let both = try await run(["refunds", "list", "--stuck", "--open"])
    #expect(both.code == 2)
  }

  @Test("returns are listed, shown by either id, and authorised")
  func returns() async throws {
    let one = Omsconnector.V1.Return(
      rma: "RMA-1", incrementId: "100000007", entityId: 4, state: .ended, omsStatus: "APPROVED", blind: true,
      lines: [
        .init(lineNumber: 2, sku: "MUG", reason: "WRONGSIZE", status: "APPROVED", quantity: .init(value: "2.5"))
      ], attributes: [.init(name: "channel", value: "hotline")])
    let listed = try await run(["returns", "list", "--attention"]) { router in
      router.unary(PostSales.listReturns) { request, _ in
        #expect(request.needsAttention)
        return .init(returns: [one])
      }
    }
    #expect(listed.out.contains("RMA-1") && listed.out.contains("ended"))
    for (words, rma, entity) in [(["RMA-1"], "RMA-1", Int64(0)), (["--entity", "4"], "", 4)] {
      let shown = try await run(["returns", "show"] + words) { router in
        router.unary(PostSales.getReturn) { request, _ in
          #expect(request.rma == rma && request.entityId == entity)
          return .init(return: one)
        }
      }
      #expect(
        shown.out.contains("a blind return") && shown.out.contains("2.5 × MUG, WRONGSIZE")
          && shown.out.contains("hotline"))
    }
    let authorised = try await run(["returns", "authorize", "4"]) { router in
      router.unary(PostSales.authorizeReturn) { request, _ in
        #expect(request.entityId == 4)
        return .init(return: one)
      }
    }
    #expect(authorised.code == 0)
    for (words, rma, entity) in [(["RMA-1"], "RMA-1", Int64(0)), (["--entity", "4"], "", 4)] {
      let resumed = try await run(["returns", "resume"] + words) { router in
        router.unary(PostSales.resumeReturn) { request, _ in
          #expect(request.rma == rma && request.entityId == entity)
          return .init(return: one)
        }
      }
      #expect(resumed.code == 0 && resumed.out.contains("RMA-1"))
    }
    #expect(try await run(["returns", "authorize", "x"]).code == 2)
  }

  @Test("the completion knows the commands")
  func completion() {
    #expect(BashCompletion.script.contains("refunds) _omsctl_offer -W 'list show resume settle'"))
    #expect(BashCompletion.script.contains("returns) _omsctl_offer -W 'list show authorize resume'"))
  }
}
