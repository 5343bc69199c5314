"""The TLS certificate: the operator's, or one of the server's own that its signed statement vouches for."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.server.folder import FILE_MODE

_VALID_FROM = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_VALID_UNTIL = dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)
"""RFC 5280 4.1.2.5: no well-defined end. What is valid when is said by the statement, which expires."""


def ensure_certificate(path: Path) -> None:
    """Make a P-256 key and a certificate for it, where there are none. Raises Unavailable(disk)."""
    if path.exists():
        return
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "coterie")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_VALID_FROM)
        .not_valid_after(_VALID_UNTIL)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + certificate.public_bytes(serialization.Encoding.PEM)
    write_certificate(path, pem)


def write_certificate(path: Path, pem: bytes) -> None:
    """For its owner alone, whole or not at all. Raises Unavailable(disk)."""
    unfinished = path.with_suffix(f".{os.getpid()}.new")
    try:
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise Unavailable(Code.DISK, f"the certificate cannot be written ({error.strerror})") from error


def tls_key(certificate: Path) -> bytes:
    """SHA-256 of the certificate's public key (SubjectPublicKeyInfo, DER). Raises Refused(usage)."""
    try:
        key = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
        packed = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    except (OSError, ValueError, UnsupportedAlgorithm):
        raise Refused(Code.USAGE, "the certificate cannot be read") from None
    return hashlib.sha256(packed).digest()


def tls_context(certificate: Path, key: Path | None) -> ssl.SSLContext:
    """TLS 1.3 only. key None: it stands beside the certificate. Raises Refused(usage)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError):
        raise Refused(Code.USAGE, "certificate and key cannot be read or do not belong together") from None
    return context
