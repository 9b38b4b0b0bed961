"""Who may post to the webhook."""

import base64
import hmac
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.signing import SECRET_VARIABLE, TOLERANCE_SECONDS, Secrets, Unsigned
from streaming.errors import SettingsError

OLD, NEW = Secrets([b"o" * 24]), Secrets([b"n" * 32])
BOTH = Secrets([b"n" * 32, b"o" * 24])
NOW = 1_800_000_000


def headers(signature: str, message_id: str = "m1", time: object = NOW) -> dict[str, str]:
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(time),
        "webhook-signature": signature,
    }


def test_the_signature_is_that_of_the_standard() -> None:
    # Worked out by hand from the three parts.
    expected = hmac.digest(b"n" * 32, b"m1.1800000000.body", "sha256")
    assert NEW.sign("m1", NOW, b"body") == "v1," + base64.b64encode(expected).decode()


@given(st.text(min_size=1, max_size=20), st.binary(max_size=50))
def test_what_was_signed_is_taken_and_nothing_else(message_id: str, body: bytes) -> None:
    signed = headers(NEW.sign(message_id, NOW, body), message_id)
    NEW.check(signed, body, NOW)
    BOTH.check(signed, body, NOW)
    for secrets, other, came in (
        (OLD, {}, body),
        (NEW, {}, body + b"!"),
        (NEW, {"webhook-id": message_id + "!"}, body),
        (NEW, {"webhook-timestamp": str(NOW + 1)}, body),
    ):
        with pytest.raises(Unsigned, match="not that of this message"):
            secrets.check(signed | other, came, NOW)


def test_one_signature_of_several_is_enough() -> None:
    several = " ".join(("v2,xyz", OLD.sign("m1", NOW, b""), NEW.sign("m1", NOW, b"")))
    NEW.check(headers(several), b"", NOW)
    OLD.check(headers(several), b"", NOW)


@pytest.mark.parametrize("apart", [TOLERANCE_SECONDS + 1, -TOLERANCE_SECONDS - 1])
def test_what_was_caught_cannot_be_sent_for_ever(apart: int) -> None:
    signed = headers(NEW.sign("m1", NOW, b""))
    with pytest.raises(Unsigned, match="seconds from now"):
        NEW.check(signed, b"", NOW + apart)
    NEW.check(signed, b"", NOW + TOLERANCE_SECONDS)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"webhook-id": ""}, "webhook-id is missing"),
        ({"webhook-id": "x" * 257}, "longer than 256"),
        ({"webhook-timestamp": ""}, "webhook-timestamp is missing"),
        ({"webhook-timestamp": "now"}, "no number"),
        ({"webhook-timestamp": "-1"}, "no number"),
        ({"webhook-timestamp": "１"}, "no number"),
        ({"webhook-timestamp": "9" * 30}, "no number"),
        ({"webhook-signature": ""}, "webhook-signature is missing"),
        ({"webhook-signature": "v1,"}, "not that"),
        ({"webhook-signature": "v1,\udcff"}, "not that"),
        ({"webhook-signature": "v1"}, "not that"),
    ],
)
def test_what_is_no_signature_is_told(changed: dict[str, str], told: str) -> None:
    with pytest.raises(Unsigned, match=told):
        NEW.check(headers(NEW.sign("m1", NOW, b"")) | changed, b"", NOW)


def test_secrets_are_read_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(SECRET_VARIABLE, raising=False)
    assert Secrets.read(None) is None
    new, old = (base64.b64encode(each).decode() for each in (b"n" * 32, b"o" * 24))
    file = tmp_path / "secret"
    file.write_text(f"whsec_{new}\n\n{old}\n")
    found = Secrets.read(file)
    assert found is not None
    assert found.sign("m1", NOW, b"") == NEW.sign("m1", NOW, b"")
    found.check(headers(OLD.sign("m1", NOW, b"")), b"", NOW)
    assert new not in repr(found)
    monkeypatch.setenv(SECRET_VARIABLE, old)
    found = Secrets.read(None)
    assert found is not None
    assert found.sign("m1", NOW, b"") == OLD.sign("m1", NOW, b"")


@pytest.mark.parametrize("text", ["", "\n", "secret", "whsec_c2hvcnQ=", "不"])
def test_a_secret_that_can_be_guessed_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "secret"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match="secret") as refused:
        Secrets.read(file)
    assert "c2hvcnQ=" not in str(refused.value)
    with pytest.raises(SettingsError, match="cannot be read"):
        Secrets.read(tmp_path / "missing")
