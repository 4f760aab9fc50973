extension ShopPlan {
  /// The comments by which what the connector makes is told from what people make.
  ///
  /// Whole comments are compared with those of the order's own parcels, and each stands for one document: somebody who writes of
  /// the OMS, or copies a comment, is taken for nobody else.
  enum Marker {
    static func invoice(_ key: String) -> String {
      key == rest ? "OMS: what was left to invoice" : "OMS: invoice for shipment request \(key)"
    }

    static func shipment(_ key: String) -> String { "OMS: shipment request \(key)" }

    /// Of the credit memos that the post-sales service makes, and looks after: it knows the numbers, and tells of memos with
    /// another one.
    static let creditNote = "OMS credit note "

    /// The key of a further invoice for the same.
    static func part(_ number: Int, of key: String) -> String { "\(key), part \(number)" }

    /// The one of a document's comments that marks it as the connector's; nil for people's.
    ///
    /// - Parameters:
    ///   - kind: invoice, shipment or creditmemo.
    ///   - keys: of the order's parcels.
    static func mark(of kind: String, in comments: [String], keys: [String]) -> String? {
      comments.first { comment in
        switch kind {
        case "invoice": (keys + [rest]).contains { comment == invoice($0) || isPart(comment, of: $0) }
        case "shipment": keys.contains { comment == shipment($0) }
        default: comment.hasPrefix(creditNote)
        }
      }
    }

    private static func isPart(_ comment: String, of key: String) -> Bool {
      let beginning = invoice("\(key), part ")
      return comment.hasPrefix(beginning) && Int(comment.dropFirst(beginning.count)) != nil
    }
  }
}
