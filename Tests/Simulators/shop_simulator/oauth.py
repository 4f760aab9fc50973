"""OAuth 1.0a signatures as Magento checks them: HMAC-SHA256 (RFC 5849 §3.4 with SHA-256 in place of SHA-1)."""

import base64
import hashlib
import hmac
import re
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from .errors import ShopError

WINDOW_S = 600  # how far a timestamp may be ahead
KEPT = 100_000  # nonces; the oldest go first
FIELDS = ("oauth_consumer_key", "oauth_token", "oauth_signature_method", "oauth_signature", "oauth_nonce",
          "oauth_timestamp")


class OAuth:
    """Verifies requests and remembers nonces."""

    def __init__(self, settings, clock):
        self._settings, self._clock = settings, clock
        self._nonces = {}  # in the order in which they came

    def resources(self, verb, url, header):
        """What the signer may do: a list of resources, None for all. ShopError 401 or 400 when the signature is not in
        order."""
        given = {unquote(k): unquote(v) for k, v in re.findall(r'([\w%]+)="([^"]*)"', header)}
        absent = [name for name in FIELDS if not given.get(name)]
        if absent:
            raise ShopError(400, "oauth_parameters_absent=" + "&".join(absent))
        consumer = self._settings.consumers.get(given["oauth_consumer_key"])
        if consumer is None:
            raise ShopError(401, "A consumer having the specified key does not exist")
        if given["oauth_token"] != consumer["token"]:
            raise ShopError(401, "The token is invalid. Verify the token and try again.")
        if given["oauth_signature_method"] != "HMAC-SHA256":
            raise ShopError(400, "Signature method %1 is not supported", [given["oauth_signature_method"]])
        if not given["oauth_timestamp"].isdigit() or int(given["oauth_timestamp"]) > self._clock.now() + WINDOW_S:
            raise ShopError(401, "The timestamp value in the oauth_timestamp parameter is incorrect")
        expected = signature(verb, url, given, consumer["consumer_secret"], consumer["token_secret"])
        if not hmac.compare_digest(expected, given["oauth_signature"]):
            raise ShopError(401, "The signature is invalid. Verify and try again.")
        once = (given["oauth_consumer_key"], given["oauth_nonce"], given["oauth_timestamp"])
        if once in self._nonces:
            raise ShopError(401, "The nonce is already being used by the consumer with ID %1",
                            [given["oauth_consumer_key"]])
        self._nonces[once] = True
        if len(self._nonces) > KEPT:
            del self._nonces[next(iter(self._nonces))]
        return consumer.get("resources")


def signature(verb, url, parameters, consumer_secret, token_secret):
    """The signature of a request with those oauth_ parameters (RFC 5849 §3.4.1)."""
    parts = urlsplit(url)
    pairs = [(k, v) for k, v in parameters.items() if k not in ("oauth_signature", "realm")]
    pairs += parse_qsl(parts.query, keep_blank_values=True)
    joined = "&".join(f"{k}={v}" for k, v in sorted((_escaped(k), _escaped(v)) for k, v in pairs))
    base = "&".join((verb.upper(), _escaped(f"{parts.scheme}://{parts.netloc.lower()}{parts.path}"), _escaped(joined)))
    key = f"{_escaped(consumer_secret)}&{_escaped(token_secret)}"
    return base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha256).digest()).decode()


def _escaped(text):
    return quote(text, safe="-._~")
