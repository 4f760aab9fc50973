"""The service bus: tokens, registrations, JSON-RPC, deliveries. No sockets of its own but those of deliveries."""

import base64
import hashlib
import hmac
import http.client
import json
import secrets
import threading
import time
import urllib.parse
import uuid
from dataclasses import dataclass, field

from .messages import ACCEPTED
from .recording import Recording

REGISTER = "magento.service_bus.remote.register"
UNREGISTER = "magento.service_bus.remote.unregister"
DISCOVER = "magento.service_bus.remote.discover"
CONTROL = "magento.service_bus.remote.control"
# What the bus is asked about itself.
OWN = (REGISTER, UNREGISTER, DISCOVER, CONTROL)
PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, FAILED = -32700, -32600, -32601, -32602, -32000
# The columns of the PHP stand-in.
MAX_ID, MAX_URL, MAX_SECRET = 10, 60, 60


@dataclass
class Options:
    """How this bus behaves where real ones differ."""

    client_id: str = ""  # with one, register and unregister need a bearer token
    client_secret: str = ""
    # Seconds, as a number or a text; None: tokens last for ever and the answer does not say so.
    expires_in: int | float | str | None = None
    duplicates: str = "refuse"  # or "replace", or "keep": both stay and everything is delivered twice
    style: str = "standard"  # or "php": id always 1, unknown method 404; or "go": error is a text, "" on success
    knows: tuple | None = None  # of DISCOVER and CONTROL; None: both, but those of style php and go neither
    delivery_timeout_s: float = 30.0

    def __post_init__(self):
        if self.knows is None:
            self.knows = (DISCOVER, CONTROL) if self.style == "standard" else ()


@dataclass
class Delivery:
    """One attempt to hand a message to a registered callback."""

    endpoint: str
    method: str
    status: int | None  # None: no HTTP answer
    headers: dict
    body: bytes
    failure: str = ""  # why there was no HTTP answer
    seconds: float = 0.0
    at: float = field(default_factory=time.time)

    @property
    def reply(self):
        """The JSON-RPC reply, or None when the body is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def error(self):
        reply = self.reply
        return reply.get("error") if isinstance(reply, dict) else None

    @property
    def result(self):
        reply = self.reply
        return reply.get("result") if isinstance(reply, dict) else None

    @property
    def delivered(self):
        return self.status is not None and 200 <= self.status < 300 and self.error in (None, "")

    def as_json(self):
        return {
            "endpoint": self.endpoint,
            "method": self.method,
            "status": self.status,
            "reply": self.reply,
            "failure": self.failure,
            "seconds": self.seconds,
            "delivered": self.delivered,
        }


class BusError(Exception):
    """Becomes the error of a JSON-RPC reply."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code
        self.message = message


class Bus:
    def __init__(self, options=None):
        self.options = options or Options()
        self.deliveries = Recording()
        self.answers = {}  # method → what (params) gives, where that is more than the usual answer
        self._tokens = {}  # token → when it ends, or None
        self._endpoints = []  # registrations, in order
        self._changed = threading.Condition()

    # Tokens

    def issue_token(self, headers, body):
        """(status, answer) of POST /oauth/token."""
        given = self._credentials(headers, body)
        if given is None:
            return 400, {"error": "invalid_request", "error_description": "grant_type must be client_credentials"}
        expected = (self.options.client_id, self.options.client_secret)
        if not expected[0] or not hmac.compare_digest("\0".join(given).encode(), "\0".join(expected).encode()):
            return 401, {"error": "invalid_client"}
        token = secrets.token_hex(16)
        answer = {"access_token": token}
        ends = None
        if self.options.expires_in is not None:
            answer.update(expires_in=self.options.expires_in, token_type="Bearer")
            ends = time.monotonic() + float(self.options.expires_in)
        with self._changed:
            self._tokens[token] = ends
        return 201, answer

    @staticmethod
    def _credentials(headers, body):
        """(client id, secret) of a client-credentials request, in the body or as HTTP Basic; None when it is not one."""
        text = body.decode("utf-8", "replace")
        try:
            fields = json.loads(text) if "json" in headers.get("content-type", "") else dict(urllib.parse.parse_qsl(text))
        except ValueError:
            return None
        if not isinstance(fields, dict) or fields.get("grant_type") != "client_credentials":
            return None
        scheme, _, encoded = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                user, _, password = base64.b64decode(encoded).decode().partition(":")
            except ValueError:
                return None
            return urllib.parse.unquote(user), urllib.parse.unquote(password)
        return str(fields.get("client_id", "")), str(fields.get("client_secret", ""))

    def revoke_tokens(self):
        with self._changed:
            self._tokens.clear()

    def authorized(self, headers):
        if not self.options.client_id:
            return True
        scheme, _, token = headers.get("authorization", "").partition(" ")
        with self._changed:
            if scheme.lower() != "bearer" or token not in self._tokens:
                return False
            ends = self._tokens[token]
            return ends is None or time.monotonic() < ends

    # JSON-RPC

    def call(self, body):
        """(status, answer) of one JSON-RPC request to the bus."""
        request_id = None
        try:
            try:
                request = json.loads(body)
            except ValueError as error:
                raise BusError(PARSE_ERROR, f"not JSON: {error}") from None
            if not isinstance(request, dict):
                raise BusError(INVALID_REQUEST, "one JSON-RPC request is expected, no batch")
            request_id = request.get("id")
            if request.get("jsonrpc") != "2.0" or not isinstance(request.get("method"), str):
                raise BusError(INVALID_REQUEST, 'jsonrpc must be "2.0" and method a text')
            params = request.get("params", {})
            if not isinstance(params, dict):
                raise BusError(INVALID_PARAMS, "params must be an object")
            return 200, self._answer(request_id, self._dispatch(request["method"], params))
        except BusError as error:
            return self._refusal(request_id, error)

    def _dispatch(self, method, params):
        if method == REGISTER:
            return self._register(params)
        if method == UNREGISTER:
            return self._unregister(params)
        if method == DISCOVER and method in self.options.knows:
            return [self._shown(endpoint) for endpoint in self.endpoints()]
        if method == CONTROL and method in self.options.knows:
            return self._control(params)
        if method in self.answers:
            return self.answers[method](params)
        if method in ACCEPTED:
            return ACCEPTED[method]
        raise BusError(METHOD_NOT_FOUND, f"unknown method {method}")

    def _answer(self, request_id, result):
        if self.options.style == "php":
            return {"jsonrpc": "2.0", "id": 1, "result": result}
        if self.options.style == "go":
            return {"id": request_id, "result": result, "error": ""}
        return {"jsonrpc": "2.0", "id": request_id, "result": result}

    def _refusal(self, request_id, error):
        if self.options.style == "go":
            return 200, {"id": request_id, "result": None, "error": error.message}
        if self.options.style == "php" and error.code == METHOD_NOT_FOUND:
            return 404, json.dumps({"error_message": error.message})
        shown = 1 if self.options.style == "php" else request_id
        return 200, {"jsonrpc": "2.0", "id": shown, "error": {"code": error.code, "message": error.message}}

    # Registrations

    def _register(self, params):
        endpoint = {name: params.get(name) for name in ("id", "url", "secret", "contracts", "subscribes", "labels")}
        for name, limit in (("id", MAX_ID), ("url", MAX_URL), ("secret", MAX_SECRET)):
            value = endpoint[name] = endpoint[name] if endpoint[name] is not None else ""
            if not isinstance(value, str) or len(value) > limit:
                raise BusError(INVALID_PARAMS, f"{name}: a text of at most {limit} characters is expected")
        if not endpoint["id"]:
            raise BusError(INVALID_PARAMS, "ID is empty")
        if not endpoint["url"]:
            raise BusError(FAILED, "URL is empty")
        if not isinstance(endpoint["subscribes"] or [], list):
            raise BusError(INVALID_PARAMS, "subscribes: a list is expected")
        self._probe(endpoint["url"])
        with self._changed:
            known = any(other["id"] == endpoint["id"] for other in self._endpoints)
            if known and self.options.duplicates == "refuse":
                raise BusError(FAILED, f"Duplicate entry '{endpoint['id']}' for key 'PRIMARY'")
            # Registering again does not switch on what somebody has switched off.
            endpoint["enabled"] = all(other["enabled"] for other in self._endpoints if other["id"] == endpoint["id"])
            if known and self.options.duplicates == "replace":
                self._endpoints = [other for other in self._endpoints if other["id"] != endpoint["id"]]
            self._endpoints.append(endpoint)
            self._changed.notify_all()
        # The Go stand-in answers with all that it has.
        return [self._shown(each) for each in self.endpoints()] if self.options.style == "go" else self._shown(endpoint)

    @staticmethod
    def _shown(endpoint):
        return {
            "id": endpoint["id"],
            "peer_url": endpoint["url"],
            "remote_url": f"/remote/{endpoint['id']}",
            "delegate_url": f"/delegate/{endpoint['id']}",
            "contracts": endpoint["contracts"] or [],
            "subscribes": endpoint["subscribes"] or [],
            "labels": endpoint["labels"] or {},
            "enabled": endpoint["enabled"],
        }

    def _control(self, params):
        """The argument has no name in the catalogue: any will do."""
        wanted = next((value for value in params.values() if isinstance(value, list)), None)
        if not wanted or not all(isinstance(w, dict) and isinstance(w.get("enabled"), bool) for w in wanted):
            raise BusError(INVALID_PARAMS, "a list of {id, enabled} is expected")
        with self._changed:
            for want in wanted:
                found = [endpoint for endpoint in self._endpoints if endpoint["id"] == want.get("id")]
                if not found:
                    raise BusError(FAILED, f"no endpoint {want.get('id')!r}")
                for endpoint in found:
                    endpoint["enabled"] = want["enabled"]
            self._changed.notify_all()
        return None

    def _unregister(self, params):
        with self._changed:
            left = [endpoint for endpoint in self._endpoints if endpoint["id"] != params.get("id")]
            if len(left) == len(self._endpoints):
                raise BusError(FAILED, f"no endpoint {params.get('id')!r}")
            self._endpoints = left
            self._changed.notify_all()
        return None

    def _probe(self, url):
        status, headers, _, failure = exchange("OPTIONS", url, b"", {}, self.options.delivery_timeout_s)
        if failure:
            raise BusError(FAILED, f"the callback {url} did not answer the probe: {failure}")
        if status != 200 or headers.get("x-magento-service-bus") != "*":
            raise BusError(FAILED, f"the callback {url} answered the probe with {status} and without X-Magento-Service-Bus: *")

    def endpoints(self):
        with self._changed:
            return [dict(endpoint) for endpoint in self._endpoints]

    def forget_endpoints(self):
        with self._changed:
            self._endpoints.clear()

    def wait_for_registration(self, timeout_s, endpoint_id=None, method=None):
        """The registration, of that id and that subscribes to `method` if asked, as soon as there is one; TimeoutError after
        timeout_s."""

        def found():
            return next((e for e in self._endpoints if endpoint_id in (None, e["id"])
                         and (method is None or method in (e["subscribes"] or []))), None)

        with self._changed:
            if not self._changed.wait_for(lambda: found() is not None, timeout_s):
                raise TimeoutError(f"nobody has registered within {timeout_s:g} s")
            return dict(found())

    # Deliveries

    def publish(self, method, params, message_id=None, signature=None):
        """Sends an event to every endpoint that subscribes to it. Returns a Delivery for each."""
        message = {"jsonrpc": "2.0", "id": message_id or f"d-{uuid.uuid4()}", "method": method, "params": params}
        body = json.dumps(message, ensure_ascii=False).encode()
        listeners = [e for e in self.endpoints() if e["enabled"] and method in (e["subscribes"] or [])]
        return [self.deliver(endpoint, body, method, signature) for endpoint in listeners]

    def deliver(self, endpoint, body, method="", signature=None):
        """Posts these very bytes. `signature`: None signs as agreed, "" sends none, anything else is sent as it is."""
        if signature is None and endpoint["secret"]:
            signature = "sha1=" + hmac.new(endpoint["secret"].encode(), body, hashlib.sha1).hexdigest()
        headers = {"Content-Type": "application/json"}
        if signature:
            headers["X-Signature"] = signature
        started = time.monotonic()
        status, answered, answer, failure = exchange("POST", endpoint["url"], body, headers, self.options.delivery_timeout_s)
        delivery = Delivery(endpoint["id"], method, status, answered, answer, failure, time.monotonic() - started)
        self.deliveries.add(delivery)
        return delivery


def exchange(verb, url, body, headers, timeout_s):
    """One HTTP request. (status or None, headers with lower-case names, body, failure or "")."""
    parts = urllib.parse.urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=timeout_s)
    try:
        connection.request(verb, parts.path or "/", body, headers)
        response = connection.getresponse()
        answer = response.read()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, answer, ""
    except (OSError, http.client.HTTPException) as error:
        return None, {}, b"", f"{type(error).__name__}: {error}"
    finally:
        connection.close()
