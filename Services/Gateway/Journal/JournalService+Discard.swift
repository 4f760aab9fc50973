import Messages
import RPC
import ServiceKit
import Stubs

extension JournalService {
  func discard(
    _ request: Omsconnector.V1.DiscardRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.DiscardResponse {
    let handler = try Self.handler(request.discardedBy, "discarded_by", context)
    if !request.dryRun { try Self.check(reason: request.reason) }
    let word = JournalDiscard.Word(reason: request.reason, handler: handler)
    guard request.id != 0 || request.filter == nil else { return try await discardAll(request, word) }
    guard request.filter == nil else {
      throw RPCError.invalid(field: "filter", "filter: send an id or a filter, not both")
    }
    let message = try await message(request.id)
    switch message.status {
    case .pending, .error, .dead: break
    case .ignored where message.reason == MaskedText.line(request.reason):
      return .init(message: message, matched: 1, discarded: 1)
    default:
      let name = message.status.description.dropFirst("MESSAGE_STATUS_".count)
      throw RPCError(.failedPrecondition, "message \(message.id) is \(name): there is nothing to discard")
    }
    if request.dryRun { return .init(message: message, matched: 1, discarded: 1) }
    do {
      try await discards.one(message, word)
    } catch {
      throw RPCError(storing: error, what: "the journal")
    }
    return .init(message: try await self.message(request.id), matched: 1, discarded: 1)
  }

  private func discardAll(
    _ request: Omsconnector.V1.DiscardRequest, _ word: JournalDiscard.Word
  ) async throws -> Omsconnector.V1.DiscardResponse {
    var filter = try JournalFilter(request.filter)
    try Self.check(filter, "everything would be discarded")
    let wanted = filter.statuses.isEmpty ? JournalDiscard.statuses : filter.statuses
    filter.statuses = wanted.intersection(JournalDiscard.statuses)
    guard !filter.statuses.isEmpty else {
      throw RPCError.invalid(
        field: "filter.statuses", "filter.statuses: only PENDING, ERROR and DEAD messages can be discarded")
    }
    let asked = try PageRequest(size: 0, token: request.pageToken, of: filter.text)
    let place = try asked.place(SearchPlace.init)
    do {
      var range = try await store.bounds()
      // What came since the first call is not of this round, so that it ends.
      if let place { range = place.rest(of: range) }
      var (response, rest) = try await discards.all(filter, in: range, word, dryRun: request.dryRun)
      response.nextPageToken = rest.map { asked.token(after: SearchPlace($0).text) } ?? ""
      return response
    } catch {
      throw RPCError(storing: error, what: "the journal")
    }
  }
}
