import json
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from streaming.commands.config import show
from streaming.errors import SettingsError
from streaming.settings import load


def test_the_defaults_hold_without_a_file(no_settings: Path) -> None:
    settings = load(environment={}).settings
    assert settings.matching.k == 3
    assert settings.channels["18"] == "python"
    assert len(settings.channels) == 25
    assert not (no_settings / "leitong.toml").exists()


def test_flags_win_over_the_environment_and_that_over_the_file(no_settings: Path) -> None:
    (no_settings / "leitong.toml").write_text(
        '[matching]\nk = 1\nwindow = "2d"\nvisible = 8\n[kafka]\n"session.timeout.ms" = 45000\n'
    )
    loaded = load(
        overrides=[("matching.visible", "16", "--set")],
        environment={"LEITONG_MATCHING__K": "2", "LEITONG_HOME": "/elsewhere"},
    )
    matching = loaded.settings.matching
    assert (matching.k, matching.window, matching.visible) == (2, 172_800_000, 16)
    assert loaded.settings.kafka == {"session.timeout.ms": "45000"}
    assert loaded.origins["matching.k"] == "environment LEITONG_MATCHING__K"
    assert loaded.origins["matching.window"] == "leitong.toml"
    assert loaded.origins["matching.visible"] == "--set"


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("matching.kk", "3", "did you mean matching.k"),
        ("mathcing.k", "3", "did you mean matching.k"),
        ("matching.k", "4", "find all fingerprints within 3 bits, not within 4"),
        ("matching.window", "soon", "no duration; write for example"),
        ("text.channel_lexicons", '{python = "a.tsv"}', 'set matching.scope = "channel"'),
        ("matching", "3", "write GROUP.KEY=VALUE"),
    ],
)
def test_a_wrong_setting_is_told_with_its_place(
    no_settings: Path, key: str, value: str, told: str
) -> None:
    with pytest.raises(SettingsError, match=f"^(--set|the settings).*{re.escape(told)}"):
        load(overrides=[(key, value, "--set")], environment={})
    assert no_settings.exists()


def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such settings file"):
        load(tmp_path / "absent.toml", environment={})
    broken = tmp_path / "broken.toml"
    broken.write_text("[matching\n")
    with pytest.raises(SettingsError, match=r"broken\.toml: not a TOML file"):
        load(broken, environment={})


PASSWORD = "ge'heim"  # noqa: S105 - invented
LOGIN = (
    "org.apache.kafka.common.security.plain.PlainLoginModule required"
    f' username="desk" password="{PASSWORD}";'
)
PLAIN = {"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN"}


def test_a_secret_comes_from_a_file_or_the_environment_and_never_prints(no_settings: Path) -> None:
    (no_settings / "login").write_text(LOGIN + "\n")
    (no_settings / "leitong.toml").write_text(
        '[kafka]\n"security.protocol" = "SASL_SSL"\n"sasl.mechanism" = "PLAIN"\n'
        '"sasl.jaas.config" = {file = "login"}\n'
    )
    loaded = load(environment={"LEITONG_KAFKA__SSL_KEY_PASSWORD": "0x1F"})
    kafka = loaded.settings.kafka
    assert kafka == PLAIN | {"sasl.jaas.config": LOGIN, "ssl.key.password": "0x1F"}
    assert loaded.origins["kafka.ssl.key.password"] == "environment LEITONG_KAFKA__SSL_KEY_PASSWORD"
    assert kafka.shown()["security.protocol"] == "SASL_SSL"
    assert kafka.shown()["sasl.jaas.config"] == "<hidden>"
    settings = loaded.settings
    for text in (
        repr(kafka),
        str(settings),
        settings.model_dump_json(),
        str(settings.model_dump()),
    ):
        assert "sasl.jaas.config" in text
        assert "heim" not in text
        assert "0x1F" not in text
    shown = CliRunner().invoke(show, [])
    assert shown.exit_code == 0
    assert '"sasl.jaas.config" = "<hidden>"  # leitong.toml' in shown.output
    assert "heim" not in shown.output
    assert b"heim" not in pickle.dumps(settings.for_workers())


@pytest.mark.parametrize(
    ("properties", "told"),
    [
        ({"security.protocol": "TLS"}, "security.protocol: must be one of PLAINTEXT"),
        ({"security.protocol": "SASL_SSL"}, "sasl.mechanism: has to be set"),
        (PLAIN, "sasl.jaas.config: has to hold user and password"),
        (PLAIN | {"sasl.jaas.config": LOGIN.removesuffix(";")}, "and the semicolon"),
        (PLAIN | {"sasl.jaas.config": LOGIN.replace("desk", "de\\nsk")}, "for a backslash"),
        ({"sasl.jaas.config": LOGIN}, "as security.protocol is PLAINTEXT; set that to SASL_SSL"),
        ({"ssl.key.password": PASSWORD}, "as security.protocol is PLAINTEXT; set that to SSL"),
        ({"bootstrap.servers": "heim:1"}, "the address kafka://"),
        ({"sasl.jaas.config": {"file": "nowhere"}}, "nowhere: cannot be read"),
        ({"sasl.jaas.config": {"file": "empty"}}, "empty is empty"),
        ({"sasl.jaas.config": {"path": "heim"}}, '{file = "PATH"}'),
        ({"ssl": {"key": "heim"}}, "a name with dots is written in quotes"),
    ],
)
def test_kafka_settings_that_cannot_work_are_told_without_a_value(
    no_settings: Path, properties: dict[str, Any], told: str
) -> None:
    (no_settings / "empty").touch()
    table = "".join(f"{json.dumps(k)} = {_toml(v)}\n" for k, v in properties.items())
    (no_settings / "leitong.toml").write_text(f"[kafka]\n{table}")
    with pytest.raises(
        SettingsError, match=rf"^leitong\.toml: kafka: .*{re.escape(told)}"
    ) as raised:
        load(environment={})
    assert "heim" not in str(raised.value)


def test_a_secret_on_the_command_line_is_refused(no_settings: Path) -> None:
    assert not (no_settings / "leitong.toml").exists()
    with pytest.raises(SettingsError, match=r"set LEITONG_KAFKA__SASL_JAAS_CONFIG$") as raised:
        load(overrides=[("kafka.sasl.jaas.config", LOGIN, "--set")], environment={})
    assert "heim" not in str(raised.value)
    loaded = load(overrides=[("kafka.fetch.max.bytes", "1000", "--set")], environment={})
    assert loaded.settings.kafka == {"fetch.max.bytes": "1000"}


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + "}"
    return json.dumps(value)
