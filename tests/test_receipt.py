"""Receipts: what was signed is told from what was changed, key by key, and from what somebody else signed."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from grader.error import DamagedReport, UsageError
from grader.receipt import check, fingerprint, read_private_key, read_public_keys, sign
from grader.render import render
from grader.report import from_json, schema
from tests.cli.conftest import Invoke, course, home, invoke  # noqa: F401  fixtures
from tests.render import sample

KEY = Ed25519PrivateKey.generate()
OTHER = Ed25519PrivateKey.generate()


def pem(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, *, public: bool = False) -> bytes:
    """Write a key as openssl does."""
    if public:
        return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def written(name: str = "failed", key: Ed25519PrivateKey = KEY, **options: Any) -> bytes:
    """Give a signed report as its file says it."""
    return render(sign(sample.ALL[name](), key, **options), "json")


def changed(data: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """Change a report as whoever has its file can."""
    told = json.loads(data)
    change(told)
    return json.dumps(told).encode()


@pytest.mark.parametrize("name", sample.ALL)
def test_a_report_is_valid_as_it_was_signed(name: str) -> None:
    """Whatever is in it: hidden characters, half ones, decimals, no score."""
    checked = check(written(name), [OTHER.public_key(), KEY.public_key()])

    assert (checked.state, checked.differences) == ("valid", [])
    assert checked.key == fingerprint(KEY.public_key())


@pytest.mark.parametrize("name", sample.ALL)
def test_a_signed_report_keeps_its_schema(name: str) -> None:
    """The receipt is part of what is published."""
    jsonschema.validate(json.loads(written(name)), schema())


def test_a_receipt_says_what_the_score_came_from() -> None:
    """Digests of exercise, submission and image; seed, limits, score, version."""
    report = sample.failed()
    checked = check(written(image_id="sha256:77"), [KEY.public_key()])

    assert checked.signed.exercise == report.exercise.digest
    assert checked.signed.submission == report.submission.digest
    assert (checked.signed.image_id, checked.signed.seed) == ("sha256:77", report.seed)
    assert (checked.signed.limits, checked.signed.status) == (report.limits, report.status)
    assert (checked.signed.points, checked.signed.points_max) == (report.points, report.points_max)
    assert checked.signed.grader_version == report.grader_version


def test_another_layout_is_no_change() -> None:
    """A report that a program wrote again says the same: its spaces, its order, 6 or 6.0."""
    told = json.loads(written())
    told["points"] = float(told["points"])
    again = json.dumps(dict(reversed(told.items())), indent=7, ensure_ascii=True).encode()

    assert check(again, [KEY.public_key()]).state == "valid"


@pytest.mark.parametrize("name", [name for name in json.loads(written()) if name not in ("receipt", "version")])
def test_each_key_that_is_changed_is_named(name: str) -> None:
    """Nothing of a report can be changed unseen."""
    values: dict[str, Any] = {"status": "passed", "limit": "memory", "usually": "x", "frames": [], "points": 9}

    def change(told: dict[str, Any]) -> None:
        before = told[name]
        if name in values and before != values[name]:
            told[name] = values[name]
        elif isinstance(before, str):
            told[name] = before + "0"
        elif isinstance(before, int | float):
            told[name] = before + 1
        elif name in ("tests", "tasks"):
            before[0]["points"] += 1
        elif name == "durations_ms":
            before["start"] += 1
        elif name == "limits":
            before["memory_mib"] = 512
        elif isinstance(before, dict):
            before["digest" if "digest" in before else "reason"] = "x"
        else:
            told[name] = [{"file": "a", "line": 1, "function": "f", "code": "x"}]

    checked = check(changed(written(), change), [KEY.public_key()])

    assert checked.state == "altered"
    assert [each.key for each in checked.differences] == [name]


def test_a_changed_score_is_shown_beside_the_signed_one() -> None:
    """Where the receipt has the value, it is told."""
    report = sample.failed()
    checked = check(changed(written(), lambda told: told.update(points=10, status="passed")), [KEY.public_key()])

    found = {each.key: (each.signed, each.found) for each in checked.differences}
    assert found == {"points": (str(report.points), "10"), "status": ("failed", "passed")}


def test_a_key_that_was_added_or_taken_away_is_named() -> None:
    """A reader may go by a key that the signer did not know."""
    added = check(changed(written(), lambda told: told.update(bonus=10)), [KEY.public_key()])
    gone = check(changed(written(), lambda told: told.pop("durations_ms")), [KEY.public_key()])

    assert [each.key for each in added.differences] == ["bonus"]
    assert [each.key for each in gone.differences] == ["durations_ms"]


def test_what_was_changed_in_the_receipt_too_is_altered() -> None:
    """A score that is changed in both places has no signature."""

    def change(told: dict[str, Any]) -> None:
        told["points"] = told["receipt"]["signed"]["points"] = 10

    for keys in ([KEY.public_key()], []):
        checked = check(changed(written(), change), keys)
        assert checked.state == "altered"
        assert "receipt" in [each.key for each in checked.differences]


def test_a_receipt_of_another_report_is_none() -> None:
    """Good work has a receipt that bad work can't borrow."""
    good = json.loads(written("passed"))["receipt"]
    checked = check(changed(written("failed"), lambda told: told.update(receipt=good)), [KEY.public_key()])

    assert checked.state == "altered"
    assert {"points", "tests", "status"} <= {each.key for each in checked.differences}


def test_somebody_elses_signature_is_of_an_unknown_key() -> None:
    """Whoever changes a report can sign it, but not with the key that is trusted."""
    data = written(key=OTHER)

    assert check(data, [KEY.public_key()]).state == "unknown-key"
    assert check(data, []).state == "unknown-key"


def test_a_foreign_key_under_the_name_of_a_trusted_one_is_found_out() -> None:
    """What a receipt says of its key counts for nothing."""
    mine = json.loads(written())["receipt"]
    claimed = changed(
        written(key=OTHER), lambda told: told["receipt"].update(key=mine["key"], public_key=mine["public_key"])
    )

    assert check(claimed, [KEY.public_key()]).state == "altered"


@pytest.mark.parametrize("name", ["key", "public_key"])
@pytest.mark.parametrize(
    "value",
    ["", "0" * 64, base64.b64encode(OTHER.public_key().public_bytes_raw()).decode()],
    ids=["nothing", "zeros", "another"],
)
def test_a_receipt_that_names_another_key_than_its_signer_is_altered(name: str, value: str) -> None:
    """The signature holds, and whoever reads the file would take the work for another signer's."""
    data = changed(written(), lambda told: told["receipt"].update({name: value}))

    checked = check(data, [OTHER.public_key(), KEY.public_key()])
    assert (checked.state, [each.key for each in checked.differences]) == ("altered", [f"receipt.{name}"])
    assert check(data, []).state == "altered"


@pytest.mark.parametrize("signature", ["", "!", "AAAA", base64.b64encode(bytes(64)).decode()])
def test_a_broken_signature_is_altered(signature: str) -> None:
    """Whatever stands there, it is told and nothing breaks."""
    data = changed(written(), lambda told: told["receipt"].update(signature=signature))

    assert check(data, [KEY.public_key()]).state == "altered"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        written().replace(b'"seed"', b'"seed": 1, "seed"', 1),
        written().replace(b'"points": 6', b'"points": 1e99999999999999999999', 1),
    ],
    ids=["empty", "list", "no report", "no text", "deep", "a key twice", "a number without bounds"],
)
def test_what_is_no_report_is_refused(data: bytes) -> None:
    """A file that was tampered with ends in an error of ours."""
    with pytest.raises(DamagedReport):
        check(data, [KEY.public_key()])


def test_a_report_without_a_receipt_has_none() -> None:
    """That is neither valid nor altered."""
    with pytest.raises(UsageError, match="no receipt"):
        check(render(sample.failed(), "json"), [KEY.public_key()])


def test_signing_again_replaces_the_receipt() -> None:
    """A receipt isn't signed itself."""
    again = render(sign(from_json(written(key=OTHER)), KEY), "json")

    assert check(again, [KEY.public_key()]).state == "valid"


def test_keys_of_openssl_are_read(tmp_path: Path) -> None:
    """With the commands that the documentation gives."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    for command in ("openssl genpkey -algorithm ed25519 -out k.pem", "openssl pkey -in k.pem -pubout -out k.pub.pem"):
        subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)
    private = read_private_key((tmp_path / "k.pem").read_bytes())
    (public,) = read_public_keys((tmp_path / "k.pub.pem").read_bytes())
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-in", "k.pub.pem", "-outform", "DER"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    ).stdout
    digest = subprocess.run(["sha256sum"], input=der, check=True, capture_output=True).stdout.split()[0].decode()

    assert check(written(key=private), [public]).state == "valid"
    assert fingerprint(public) == digest


def test_a_key_on_one_line_is_read() -> None:
    """So some places keep a secret of several lines."""
    assert fingerprint(read_private_key(pem(KEY).replace(b"\n", b"\\n")).public_key()) == fingerprint(KEY.public_key())


def test_several_keys_in_one_text_are_all_trusted() -> None:
    """For the time of a change of keys."""
    keys = read_public_keys(pem(OTHER, public=True) + pem(KEY, public=True))

    assert [fingerprint(key) for key in keys] == [fingerprint(each.public_key()) for each in (OTHER, KEY)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"secret", "no private key in PEM"),
        (pem(KEY, public=True), "no private key in PEM"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "not an Ed25519 key"),
        (KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word")), "passphrase"),
    ],
    ids=["no key", "public", "another kind", "protected"],
)
def test_what_is_no_key_to_sign_with_is_refused(text: bytes, problem: str) -> None:
    """In words that say what is wanted, and without the secret."""
    with pytest.raises(UsageError, match=problem) as caught:
        read_private_key(text)
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("public", [True, False], ids=["public", "private"])
@pytest.mark.parametrize("text", ["rsa", "secret"])
def test_what_is_no_key_to_check_with_is_refused(text: str, public: bool) -> None:
    """Nobody who checks is told to sign, or to make a key: it is the signer's that is missing."""
    given = pem(rsa.generate_private_key(65537, 2048), public=public) if text == "rsa" else text.encode()
    with pytest.raises(UsageError, match="the key to check with is") as caught:
        read_public_keys(given)
    assert "sign with" not in caught.value.message
    assert "public key of whoever signed" in caught.value.hint
    assert "genpkey" not in caught.value.hint


# The command


@pytest.fixture
def report_file(tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    path.write_bytes(written())
    return path


@pytest.fixture
def public(tmp_path: Path) -> str:
    path = tmp_path / "key.pub.pem"
    path.write_bytes(pem(KEY, public=True))
    return str(path)


def test_the_command_says_valid(invoke: Invoke, report_file: Path, public: str) -> None:  # noqa: F811
    """With what was signed, on stdout."""
    ended = invoke("check-receipt", str(report_file), "--key", public)

    assert ended.code == 0, ended.err
    assert ended.out.startswith(f"valid: signed by the key {fingerprint(KEY.public_key())}\n")
    assert "result: failed, 6 of 10 points" in ended.out


def test_the_command_takes_keys_from_the_environment(
    invoke: Invoke,  # noqa: F811
    report_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As CI has them."""
    monkeypatch.setenv("GRADE_PUBLIC_KEY", (pem(OTHER, public=True) + pem(KEY, public=True)).decode())

    assert invoke("check-receipt", str(report_file)).code == 0


def test_the_command_says_altered(invoke: Invoke, report_file: Path, public: str) -> None:  # noqa: F811
    """And what."""
    report_file.write_bytes(changed(written(), lambda told: told.update(points=10, message="\x1b[2J")))
    ended = invoke("check-receipt", str(report_file), "--key", public)

    assert ended.code == 1
    assert ended.out == (
        "altered: the report is not as it was signed\n  message: changed\n  points: 10; signed was 6\n"
    )


def test_the_command_says_unknown_key(invoke: Invoke, report_file: Path) -> None:  # noqa: F811
    """And how a key is named."""
    ended = invoke("check-receipt", str(report_file))

    assert ended.code == 4
    assert ended.out.startswith("unknown key: ")
    assert "--key PUBLIC" in ended.err


@pytest.mark.parametrize("content", [None, b"", b"{}", render(sample.failed(), "json")])
def test_the_command_refuses_what_has_no_receipt(
    invoke: Invoke,  # noqa: F811
    report_file: Path,
    content: bytes | None,
) -> None:
    """That is usage, and no verdict on anybody."""
    if content is None:
        report_file.unlink()
    else:
        report_file.write_bytes(content)

    ended = invoke("check-receipt", str(report_file))

    assert (ended.code, ended.out) == (2, "")
    assert "hint" in ended.err or "can't be read" in ended.err


def test_points_without_bounds_are_not_spelt_out(invoke: Invoke, report_file: Path) -> None:  # noqa: F811
    """They would fill the memory."""
    report_file.write_bytes(written().replace(b'"points": 6', b'"points": 1e999999999'))

    assert invoke("check-receipt", str(report_file)).code == 2
    assert invoke("replay", str(report_file)).code == 2
