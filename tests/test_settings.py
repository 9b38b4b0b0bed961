import re
from pathlib import Path

import pytest

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
