extension Channel {
  /// A channel to one of the `addresses` alone, for what every replica has to be asked itself. It behaves and is secured as
  /// this one, and expects certificates for the same name, but has no interceptors. To be shut down by itself.
  public func replica(at address: Address) -> Channel {
    var options = options
    options.interceptors = []
    // Certificates are for the name that was looked up, not for what it stands for now.
    if case .dns(let host, _) = target { options.certificateName = host }
    return Channel(target: Target(address), group: group, options: options)
  }
}
