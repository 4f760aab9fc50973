"""An authority of the test's own, and a certificate of it for this machine."""

import os

from conformance.building import build

DAYS = "2"


def make_certificates(folder):
    """(certificate, key, authority's certificate): paths of PEM files in the folder."""
    authority, authority_key = (os.path.join(folder, name) for name in ("authority.pem", "authority.key"))
    certificate, key = (os.path.join(folder, name) for name in ("server.pem", "server.key"))
    _request(authority, authority_key, "-subj", "/CN=interoperability tests")
    _request(certificate, key, "-subj", "/CN=localhost", "-CA", authority, "-CAkey", authority_key,
             "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE")
    return certificate, key, authority


def _request(certificate, key, *options):
    build("a certificate", ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc",
                            "-days", DAYS, "-keyout", key, "-out", certificate, *options])
