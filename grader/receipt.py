"""Receipts: a report that is signed, so that whoever has the public key can tell later that nobody changed it.

A receipt stands in the JSON report that it is about, under `receipt`. What is signed (Ed25519, RFC 8032) says the score
and what it came from in plain words, and has a digest of every key of the report. So a report that was changed is told
apart key by key, and one that was only laid out anew is not taken for a changed one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

from grader.error import DamagedReport, UsageError
from grader.report import Receipt, Report, Signed, from_json

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey as Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey as Ed25519PublicKey

PURPOSE = b"kata-grader receipt 1\n"
"""Stands before what is signed: no signature that the key made for another purpose can pass for a receipt."""

HOW_TO_MAKE = "openssl genpkey -algorithm ed25519 -out kata-key.pem"
HOW_TO_PUBLISH = "openssl pkey -in kata-key.pem -pubout -out kata-key.pub.pem"
WHOSE_KEY = f"give the public key of whoever signed, an Ed25519 key in PEM; they write it with `{HOW_TO_PUBLISH}`"
THE_RECEIPT = "receipt"

_BLOCKS = re.compile(rb"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----", re.DOTALL)

State = Literal["valid", "altered", "unknown-key"]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A key of the report that isn't as it was signed; the two values where the receipt has the signed one."""

    key: str
    signed: str | None = None
    found: str | None = None


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What came of a check. `key` is the fingerprint of the key that the receipt names."""

    state: State
    key: str
    differences: Sequence[Difference]
    signed: Signed


def read_private_key(text: bytes) -> Ed25519PrivateKey:
    """Read a private key from PEM, as `openssl genpkey -algorithm ed25519` writes it.

    Raises:
        UsageError: it is none.
    """
    return _private_key(
        text,
        "the key to sign with",
        hint=HOW_TO_MAKE,
        hint_of_passphrase="keep an unprotected one among the secrets of CI",
    )


def _private_key(text: bytes, what: str, *, hint: str, hint_of_passphrase: str) -> Ed25519PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(_pem(text), password=None)
    except TypeError as error:
        raise UsageError(f"{what} is protected by a passphrase", hint=hint_of_passphrase) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{what} is no private key in PEM", hint=hint) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{what} is not an Ed25519 key", hint=hint)
    return key


def read_public_keys(text: bytes) -> list[Ed25519PublicKey]:
    """Read one public key or several, one after another in PEM.

    Raises:
        UsageError: there is none, or one is no such key.
    """
    blocks = _BLOCKS.findall(_pem(text))
    return [read_public_key(block) for block in blocks or [text]]


def read_public_key(text: bytes) -> Ed25519PublicKey:
    """Read a public key from PEM; a private one gives its public half.

    Raises:
        UsageError: it is none.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if b"PRIVATE KEY" in text:
        private = _private_key(text, "the key to check with", hint=WHOSE_KEY, hint_of_passphrase=WHOSE_KEY)
        return private.public_key()
    try:
        key = load_pem_public_key(_pem(text))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError("the key to check with is no public key in PEM", hint=WHOSE_KEY) from error
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError("the key to check with is not an Ed25519 key", hint=WHOSE_KEY)
    return key


def fingerprint(key: Ed25519PublicKey) -> str:
    """Name a key: SHA-256 of what `openssl pkey -pubin -outform DER` writes."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def sign(report: Report, key: Ed25519PrivateKey, *, image_id: str = "") -> Report:
    """Give the report with its receipt. `image_id` is the engine's own name of the image, where there is one."""
    from grader.render import json as form

    # Signed is what the file will say, and hidden characters are written in another way there.
    written = form.render(msgspec.structs.replace(report, receipt=None))
    report, told = from_json(written), _keys_of(written)
    told.pop(THE_RECEIPT)
    signed = Signed(
        exercise=report.exercise.digest,
        submission=report.submission.digest,
        image=report.sandbox.image,
        image_id=image_id,
        seed=report.seed,
        limits=report.limits,
        status=report.status,
        points=report.points,
        points_max=report.points_max,
        grader_version=report.grader_version,
        keys={name: _digest(value) for name, value in sorted(told.items())},
    )
    public = key.public_key()
    receipt = Receipt(
        key=fingerprint(public),
        public_key=base64.b64encode(public.public_bytes_raw()).decode("ascii"),
        signed=signed,
        signature=base64.b64encode(key.sign(_message(_plain(signed)))).decode("ascii"),
    )
    return msgspec.structs.replace(report, receipt=receipt)


def check(data: bytes, keys: Sequence[Ed25519PublicKey]) -> Checked:
    """Check a report's receipt against the keys that are trusted.

    `altered` says more than `unknown-key`, and so goes first: the report isn't as anybody signed it.

    Raises:
        DamagedReport: `data` is no report, or a key stands in it twice.
        UsageError: it has no receipt.
    """
    told = _keys_of(data)
    report = from_json(data)
    if report.receipt is None:
        raise UsageError("the report has no receipt", hint="`grade ci --sign KEY --format json=FILE` writes one")
    receipt = told.pop(THE_RECEIPT)
    message = _message(receipt["signed"])
    trusted = [key for key in keys if _has_signed(key, report.receipt.signature, message)]
    differences = _differences(report.receipt.signed, told, report)
    if not trusted and not _has_signed(_own_key(report.receipt), report.receipt.signature, message):
        differences = [Difference(key=THE_RECEIPT), *differences]
    if trusted:
        differences = [*_misnamed(report.receipt, trusted[0]), *differences]
    state: State = "altered" if differences else "valid" if trusted else "unknown-key"
    name = fingerprint(trusted[0]) if trusted else report.receipt.key
    return Checked(state=state, key=name, differences=differences, signed=report.receipt.signed)


def _misnamed(receipt: Receipt, key: Ed25519PublicKey) -> list[Difference]:
    """Say where a receipt names another key than the one that signed: these two lines of it are not signed themselves."""
    names = {"key": fingerprint(key), "public_key": base64.b64encode(key.public_bytes_raw()).decode("ascii")}
    return [
        Difference(key=f"{THE_RECEIPT}.{name}", signed=wanted, found=getattr(receipt, name))
        for name, wanted in names.items()
        if getattr(receipt, name) != wanted
    ]


def _differences(signed: Signed, told: Mapping[str, Any], report: Report) -> list[Difference]:
    now = {
        "exercise": report.exercise.digest,
        "submission": report.submission.digest,
        "seed": report.seed,
        "limits": report.limits,
        "status": report.status,
        "points": report.points,
        "points_max": report.points_max,
        "grader_version": report.grader_version,
    }
    found = []
    for name in sorted({*signed.keys, *told}):
        if name in told and signed.keys.get(name) == _digest(told[name]):
            continue
        before = getattr(signed, name, None) if name in now else None
        if name not in now or before == now[name]:
            found.append(Difference(key=name))
        else:
            found.append(Difference(key=name, signed=str(before), found=str(now[name])))
    # Both halves are signed together. That they don't agree needs a signer that is not this program.
    disagree = [name for name, value in now.items() if getattr(signed, name) != value]
    disagree += ["sandbox"] if signed.image != report.sandbox.image else []
    named = {each.key for each in found}
    return found + [Difference(key=name) for name in disagree if name not in named]


def _own_key(receipt: Receipt) -> Ed25519PublicKey | None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(receipt.public_key, validate=True))
    except (ValueError, binascii.Error):
        return None
    return key if fingerprint(key) == receipt.key else None


def _has_signed(key: Ed25519PublicKey | None, signature: str, message: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature

    if key is None:
        return False
    try:
        key.verify(base64.b64decode(signature, validate=True), message)
    except (ValueError, binascii.Error, InvalidSignature):
        return False
    return True


def _pem(text: bytes) -> bytes:
    # Some places keep a secret on one line, with the ends of lines written out.
    return text if b"\n" in text.strip() else text.replace(b"\\n", b"\n")


def _plain(signed: Signed) -> Any:
    return _decoded(msgspec.json.Encoder(decimal_format="number").encode(signed))


def _keys_of(data: bytes) -> dict[str, Any]:
    """Read a report's keys as they stand in it, for a newer one may have keys that are not known here.

    Raises:
        DamagedReport: it is no object in JSON, or a key stands in it twice: whoever reads it would read something else.
    """
    told = _decoded(data)
    if not isinstance(told, dict):
        raise DamagedReport("not a report: no object")
    return cast("dict[str, Any]", told)


def _decoded(data: bytes) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise DamagedReport("not a report: a key stands in it twice")
        return found

    try:
        return json.loads(data, parse_float=Decimal, object_pairs_hook=once)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise DamagedReport(f"not a report: {error}") from error


def _message(signed: Any) -> bytes:
    return PURPOSE + _canonical(signed).encode("ascii")


def _digest(value: Any) -> str:
    try:
        text = _canonical(value)
    except RecursionError as error:
        raise DamagedReport("not a report: it is nested too deep") from error
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _canonical(value: Any) -> str:
    """Write a value the one way it can be written: keys sorted, no spaces, and a number by its value, 6.0 as 6."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{_canonical(value[name])}" for name in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_canonical, value)) + "]"
    if isinstance(value, Decimal | float) or type(value) is int:
        return _number(value)
    return json.dumps(value)


def _number(value: Decimal | float) -> str:
    # By digits and exponent: what is written as 1e999999999 must not be spelt out.
    sign, digits, exponent = Decimal(value).as_tuple()
    if not isinstance(exponent, int):
        raise DamagedReport("not a report: a number has no value")
    text = "".join(map(str, digits)).lstrip("0")
    if not text:
        return "0"
    stripped = text.rstrip("0")
    exponent += len(text) - len(stripped)
    return f"{'-' if sign else ''}{stripped}e{exponent}"
