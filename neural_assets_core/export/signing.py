"""Who signs content credentials: the user's certificate, or one that was made on this machine."""

from __future__ import annotations

import io
import os
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from platformdirs import user_data_path

from neural_assets_core.errors import UserError
from neural_assets_core.files import write_atomically
from neural_assets_core.preferences import Preferences, load_preferences

if TYPE_CHECKING:
    import c2pa
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from cryptography.x509 import Certificate, Name

MAXIMUM_FILE_BYTES = 2**20
LIFETIME = timedelta(days=3650)
"""Of a certificate made here. Without a time stamp a signature is worth as long as this."""

ORGANISATION = "Made on this machine, vouched for by nobody"
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


@dataclass(frozen=True)
class Signature:
    """What content credentials are signed with.

    Attributes
    ----------
    certificates : str
        PEM: the signer's, then those that vouch for it.
    key : str
        PEM, PKCS 8, not encrypted.
    algorithm : str
        C2PA's name for it: es256, ps256, ed25519 ...
    own : bool
        Whether the certificate is the user's. Whom that convinces is up to the reader; one that
        was made here convinces nobody of who signed, only of what was changed since.
    """

    certificates: str
    key: str = field(repr=False)
    algorithm: str
    own: bool

    def signer(self) -> c2pa.Signer:
        """For one signing."""
        import c2pa

        info = c2pa.C2paSignerInfo(
            self.algorithm, self.certificates.encode(), self.key.encode(), None
        )
        return c2pa.Signer.from_info(info)


def check_installed() -> None:
    """Say that the package is missing which writes and reads content credentials.

    Raises
    ------
    UserError
    """
    try:
        import c2pa  # noqa: F401
    except ImportError as error:
        raise UserError(
            f"Content credentials need the package c2pa-python ({error}): install it with "
            "`pip install c2pa-python`, or leave them out."
        ) from None


def find_signature(preferences: Preferences | None = None) -> Signature:
    """The signature that these preferences name, by default the stored ones; tried once.

    Without a certificate of the user's own, the one that was made on this machine; made now if
    there is none.

    Raises
    ------
    UserError
        If c2pa-python is missing, or a file cannot be read, does not fit or is not accepted.
    """
    check_installed()
    preferences = preferences or load_preferences()
    if not preferences.certificate:
        return local_signature()
    signature = _own(Path(preferences.certificate), Path(preferences.signing_key or ""))
    _try(signature, preferences.certificate)
    return signature


# -- the user's own ------------------------------------------------------------------------------


def _own(certificate: Path, key: Path) -> Signature:
    """From PEM files; the key may be in the certificate's."""
    certificate = certificate.expanduser()
    content = _read(certificate)
    key = certificate if key == Path() else key.expanduser()
    secret = content if key == certificate else _read(key)
    try:
        return _signature(content, secret, own=True)
    except TypeError:
        raise UserError(
            f"{key} is locked with a password: give a key without one."
        ) from None
    except ValueError as error:
        raise UserError(
            f"{certificate} and {key} cannot sign ({error}): give PEM files of a certificate "
            "chain and of its own private key."
        ) from None


def _read(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(MAXIMUM_FILE_BYTES)
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror}): check the settings `certificate` and "
            "`signing-key`."
        ) from None


def _signature(certificates: bytes, secret: bytes, own: bool) -> Signature:
    """ValueError if they are no PEM, do not belong together or are out of date."""
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_pem_private_key,
    )
    from cryptography.x509 import load_pem_x509_certificates

    key = load_pem_private_key(secret, None)
    chain = load_pem_x509_certificates(certificates)
    if chain[0].public_key() != key.public_key():
        raise ValueError("the key is that of another certificate")
    if not chain[0].not_valid_before_utc <= datetime.now(UTC) <= chain[0].not_valid_after_utc:
        raise ValueError("the certificate is not valid today")
    return Signature(
        "".join(part.public_bytes(Encoding.PEM).decode() for part in chain),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        _algorithm(key),
        own,
    )


def _algorithm(key: PrivateKeyTypes) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES:
        return _CURVES[key.curve.name]
    if isinstance(key, rsa.RSAPrivateKey):
        return "ps256"
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    raise ValueError("the key is of a kind that C2PA does not know")


def _try(signature: Signature, name: str) -> None:
    """Sign a pixel: what is wrong with a certificate is told before any long work."""
    import c2pa

    pixel = io.BytesIO()
    Image.new("RGB", (1, 1)).save(pixel, "PNG")
    pixel.seek(0)
    manifest = {"claim_generator_info": [{"name": "trial"}], "assertions": []}
    try:
        with c2pa.Builder(manifest) as builder:
            builder.set_intent(
                c2pa.C2paBuilderIntent.CREATE, c2pa.C2paDigitalSourceType.DIGITAL_CREATION
            )
            builder.sign(signature.signer(), "image/png", pixel, io.BytesIO())
    except c2pa.C2paError as error:
        raise UserError(
            f"{name} is not accepted for content credentials ({error}): give a certificate for "
            "signing documents or e-mail, with the chain of those that issued it."
        ) from None


# -- made on this machine ------------------------------------------------------------------------


def local_signature(path: Path | None = None) -> Signature:
    """A signature by a certificate that was made on this machine; made now if there is none.

    Anybody can make one like it. It shows that the file is as the program wrote it, not who
    wrote it; programs that read it say that the signer is unknown.

    Parameters
    ----------
    path : Path, optional
        The PEM file that it is kept in, readable by its owner alone; by default in the user's
        data folder.

    Raises
    ------
    UserError
        If it cannot be written.
    """
    path = path or user_data_path("Neural Assets Studio", appauthor=False) / "signing" / "own.pem"
    # Missing, damaged or out of date: nobody is bound to the old one.
    with suppress(OSError, ValueError, TypeError):
        content = path.read_bytes()
        return _signature(content, content, own=False)
    content = _new()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Made empty first: a new file's rights are not those of a secret.
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError as error:
        raise UserError(f"Cannot write {path} ({error.strerror}): check its rights.") from None
    write_atomically(path, content)
    return _signature(content, content, own=False)


def _new() -> bytes:
    """PEM of a key, its certificate and the one that issued it, whose key nobody keeps."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key, issuer = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
    # C2PA takes no certificate that vouches for itself.
    root = _certificate(_named("Neural Assets Studio's own issuer"), None, issuer, issuer)
    leaf = _certificate(_named("Neural Assets Studio"), root, key, issuer)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return secret + leaf.public_bytes(Encoding.PEM) + root.public_bytes(Encoding.PEM)


def _named(name: str) -> Name:
    from cryptography.x509 import Name, NameAttribute
    from cryptography.x509.oid import NameOID

    return Name(
        [
            NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
            NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


def _certificate(
    subject: Name, root: Certificate | None, key: EllipticCurvePrivateKey,
    issuer: EllipticCurvePrivateKey,
) -> Certificate:  # fmt: skip
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.x509.oid import ExtendedKeyUsageOID

    now, top = datetime.now(UTC), root is None
    usage = x509.KeyUsage(
        digital_signature=not top, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=top, crl_sign=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if root is None else root.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # Clocks differ.
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=top, path_length=0 if top else None), True)
        .add_extension(usage, True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), False
        )
    )
    if not top:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purpose, False)
    return builder.sign(issuer, SHA256())
