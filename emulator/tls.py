"""TLS, for SDKs that know no other addresses than https, and for browsers on other machines."""

from __future__ import annotations

import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

VALID = timedelta(days=365)


def context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Raises OSError, of which ssl.SSLError is one, for files that are no certificate and key."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificate, key)
    return made


def own_certificate(certificate: Path) -> ssl.SSLContext:
    """A new self-signed certificate for this machine, written to a file that clients can trust.

    Its key is on no disk once this returns.
    """
    signed, private = new_certificate()
    certificate.write_bytes(signed)
    with tempfile.NamedTemporaryFile() as key:
        key.write(private)
        key.flush()
        return context(certificate, Path(key.name))


def new_certificate(*addresses: str) -> tuple[bytes, bytes]:
    """A self-signed certificate of this machine, also for these addresses, and its key, as PEM."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Local OpenTok")])
    names: list[x509.GeneralName] = [
        x509.DNSName("localhost"),
        x509.IPAddress(ip_address("127.0.0.1")),
        x509.IPAddress(ip_address("::1")),
        *(x509.IPAddress(ip_address(address)) for address in addresses),
    ]
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private, SHA256())
    )
    key = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return signed.public_bytes(Encoding.PEM), key
