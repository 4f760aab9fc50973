/// How often the registration is attempted, looked at and renewed.
struct RegistrationTiming: Sendable {
  var backOff = BackOff()
  /// OMS_REGISTRATION_CHECK.
  var checkInterval = Duration.seconds(300)
  /// OMS_REGISTRATION_RENEWAL.
  var renewalInterval = Duration.seconds(3600)
  /// A suspicion so soon after the last look is old news: many deliveries fail together.
  var suspicionPause = Duration.seconds(30)
  /// Between two renewals that are made on suspicion alone, with an OMS that can't be asked: what looks like one may be something
  /// else, and with some buses a renewal costs a moment without registration.
  var suspectedRenewalPause = Duration.seconds(3600)

  /// Spread over a tenth to either side, so that connectors that started together don't ask together.
  /// - Parameter random: 0…1.
  static func spread(_ interval: Duration, random: Double) -> Duration { interval * (0.9 + 0.2 * random) }
  /// The most that ``spread(_:random:)`` makes of it.
  static func longest(_ interval: Duration) -> Duration { interval * 1.1 }
}
