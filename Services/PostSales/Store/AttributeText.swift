import Messages
import Storage

/// Attributes as a JSON object in the store.
enum AttributeText {
  static func text(of attributes: [Attribute]) -> String {
    let members = attributes.map { "\(JSONText.quoted($0.name)):\(JSONText.quoted($0.value))" }
    return "{\(members.joined(separator: ","))}"
  }

  static func attributes(in text: String) throws(StorageError) -> [Attribute] {
    do throws(MessageError) {
      return try JSONDocument(parsing: Array(text.utf8)).root.members.map {
        Attribute(name: $0.name, value: $0.value.scalar ?? "")
      }
    } catch {
      throw StorageError(.corrupt, "attributes in the store are no JSON object: \(error)")
    }
  }
}
