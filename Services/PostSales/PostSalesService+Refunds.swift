import Commerce
import Messages
import RPC
import ServiceKit
import Storage

extension PostSalesService {
  func getRefund(
    _ request: Omsconnector.V1.GetRefundRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.GetRefundResponse {
    let refunds = refunds
    return .init(
      refund: try await stored { connection in
        var record = try Self.known(request.creditNoteNumber, refunds, connection)
        // What keeps it from being made now is known to the queue alone.
        if record.state == .due, record.reason.isEmpty {
          record.reason = try RefundWork.queue.waiting(connection, record.incrementID)?.reason ?? ""
        }
        return .init(record)
      })
  }

  func listRefunds(
    _ request: Omsconnector.V1.ListRefundsRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.ListRefundsResponse {
    let states = try request.states.map { state throws(RPCError) -> RefundState in
      guard let known = RefundState(rawValue: Int64(state.rawValue)) else {
        throw RPCError.invalid(
          field: "states", "states: \(state) is no state; send REFUND_STATE_PENDING, _DUE, _DONE or _STUCK")
      }
      return known
    }
    let list = "refunds \(Set(states.map(\.rawValue)).sorted())"
    let asked = try PageRequest(size: request.pageSize, token: request.pageToken, of: list)
    let place = try asked.timedPlace()
    let refunds = refunds
    return try await stored { connection in
      let before = place.map { ($0.at, $0.key) }
      let found = try refunds.page(states: states, before: before, limit: asked.limit + 1, connection)
      let (page, next) = asked.page(found) { PageRequest.timed($0.createdAt, $0.creditNote) }
      return .init(refunds: page.map { .init($0) }, nextPageToken: next)
    }
  }

  func resumeRefund(
    _ request: Omsconnector.V1.ResumeRefundRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.ResumeRefundResponse {
    let record = try await change(request.creditNoteNumber) { record, connection in
      switch record.state {
      case .done: return
      case .pending where record.notice.status != .unknown:
        throw RPCError(
          .failedPrecondition,
          "the OMS has not released refund \(record.creditNote): its status is \(record.status); wait for it")
      case .pending, .due, .stuck:
        record.resume(now: WallClock.nanoseconds())
        try RefundWork.queue.add(connection, record.incrementID)
      }
    }
    refundDue()
    return .init(refund: .init(record))
  }

  func settleRefund(
    _ request: Omsconnector.V1.SettleRefundRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.SettleRefundResponse {
    let note = request.note
    if note.isEmpty {
      throw RPCError.invalid(field: "note", "note is missing; say what was done, and by whom: it is kept")
    }
    if note.utf8.count > Self.noteBytes || hasNUL(note) {
      throw RPCError.invalid(field: "note", "note has \(note.utf8.count) bytes; at most \(Self.noteBytes), without NUL")
    }
    let record = try await change(request.creditNoteNumber) { record, _ in
      switch record.state {
      case .done: return
      case .pending:
        throw RPCError(
          .failedPrecondition, "the OMS has not released refund \(record.creditNote); there is nothing to settle yet")
      case .due, .stuck: (record.state, record.note, record.expected) = (.done, note, nil)
      }
    }
    Log.info("refund settled by hand", ["credit_note": "\(record.creditNote)", "note": "\(note)"])
    return .init(refund: .init(record))
  }

  /// Bytes of a note.
  static let noteBytes = 1_000

  // MARK: -

  private func change(
    _ creditNote: String, _ body: @escaping @Sendable (inout RefundRecord, Connection) throws -> Void
  ) async throws -> RefundRecord {
    let refunds = refunds
    do {
      return try await database.write { connection in
        var record = try Self.known(creditNote, refunds, connection)
        let before = record
        try body(&record, connection)
        if record != before { try refunds.save(record, connection) }
        return record
      }
    } catch {
      throw RPCError(postSales: error)
    }
  }

  func stored<Value: Sendable>(_ body: @escaping @Sendable (Connection) throws -> Value) async throws -> Value {
    do {
      return try await database.read(body)
    } catch {
      throw RPCError(postSales: error)
    }
  }

  private static func known(
    _ creditNote: String, _ refunds: RefundStore, _ connection: Connection
  ) throws -> RefundRecord {
    if creditNote.isEmpty {
      throw RPCError.invalid(
        field: "credit_note_number", "credit_note_number is missing; send the OMS's number, such as CDE123")
    }
    let record = hasNUL(creditNote) ? nil : try refunds.refund(creditNote, connection)
    guard let record else {
      throw RPCError(
        .notFound, "no refund \"\(quotable(creditNote))\": the OMS has not told of it; see ListRefunds")
    }
    return record
  }
}

extension Omsconnector.V1.Refund {
  init(_ record: RefundRecord) {
    self.init(
      creditNoteNumber: record.creditNote, incrementId: record.incrementID,
      state: .init(rawValue: Int32(record.state.rawValue)), refundType: record.type.rawValue, rma: record.rma,
      currency: record.currency, amount: record.amount.message, refundedAmount: record.refunded.message,
      documents: record.memos.map {
        .init(creditmemoId: $0.id, invoiceId: $0.invoiceID, online: $0.isOnline, amount: $0.amount.message)
      },
      reason: record.reason.isEmpty && !record.note.isEmpty ? "settled by hand: \(record.note)" : record.reason,
      omsStatus: record.status, createdAt: .init(nanosecondsSinceEpoch: record.createdAt),
      lines: record.lines.map {
        .init(
          lineNumber: Int32(clamping: $0.number), orderItemId: $0.itemID, sku: $0.sku, amount: $0.amount.message,
          wholeUnit: $0.isWhole)
      }, attributes: .init(record.attributes))
  }
}
