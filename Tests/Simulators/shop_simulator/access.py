"""Who asks, and whether they may."""

import secrets

from .errors import ShopError, no_permission
from .oauth import OAuth


class Access:
    def __init__(self, settings, clock):
        self._settings, self._clock = settings, clock
        self._oauth = OAuth(settings, clock)
        self._admin_tokens = {}  # token → when it ends

    def check(self, route, verb, url, headers):
        """ShopError 401 unless the request's credentials permit the route."""
        if route.resource is None:
            return
        permitted, known = self._permitted(verb, url, headers.get("authorization", ""))
        if not known or (permitted is not None and route.resource not in permitted):
            raise no_permission(route.resource)

    def admin_token(self, name, password):
        """A token for an administrator, refused when two-factor login is on (magento-rules §4)."""
        if self._settings.admins.get(name) != password or not password:
            raise ShopError(401, "The account sign-in was incorrect or your account is disabled temporarily. "
                                 "Please wait and try again later.")
        if self._settings.two_factor:
            raise ShopError(400, "Please use the 2fa provider-specific endpoints to obtain a token.")
        token = secrets.token_hex(16)
        self._admin_tokens[token] = self._clock.now() + self._settings.admin_token_life_s
        return token

    def _permitted(self, verb, url, header):
        """(resources or None for all, whether the caller is known at all)"""
        kind, _, rest = header.partition(" ")
        if kind.lower() == "oauth":
            return self._oauth.resources(verb, url, rest), True
        token = rest.strip()
        if kind.lower() != "bearer" or not token:
            return None, False
        if self._admin_tokens.get(token, 0) > self._clock.now():
            return None, True
        if not self._settings.bearer_integration_tokens:
            return None, False
        if token in self._settings.tokens:
            return self._settings.tokens[token], True
        for consumer in self._settings.consumers.values():
            if consumer["token"] == token:
                return consumer.get("resources"), True
        return None, False
