"""Publication times as newsrooms write them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.times import CHINA, parse_time, write_time


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2023-10-20T11:38:00Z", "2023-10-20T11:38:00+00:00"),
        ("2023-10-20T11:38:00+08:00", "2023-10-20T11:38:00+08:00"),
        ("2023-10-20T11:38:00-0530", "2023-10-20T11:38:00-05:30"),
        ("2023-10-20T11:38:05.1239Z", "2023-10-20T11:38:05.123+00:00"),
        ("2023-10-20 11:38", "2023-10-20T11:38:00+08:00"),
        (" 2023-10-20 11:38:07 ", "2023-10-20T11:38:07+08:00"),
        ("2023年10月19日 01:00", "2023-10-19T01:00:00+08:00"),
        ("2023年10月19日01时05分09秒", "2023-10-19T01:05:09+08:00"),
        ("2023年10月9日", "2023-10-09T00:00:00+08:00"),
        ("2023/1/2 3:04", "2023-01-02T03:04:00+08:00"),
        ("20231020", "2023-10-20T00:00:00+08:00"),
        (20231020, "2023-10-20T00:00:00+08:00"),
        ("20231020113800", "2023-10-20T11:38:00+08:00"),
        (1697773080, "2023-10-20T11:38:00+08:00"),
        (1697773080.25, "2023-10-20T11:38:00.250+08:00"),
        (1697773080000, "2023-10-20T11:38:00+08:00"),
        ("1697773080", "2023-10-20T11:38:00+08:00"),
        (0, "1970-01-01T00:00:00+00:00"),
        (-86400, "1969-12-31T00:00:00+00:00"),
    ],
)
def test_forms_that_are_understood(written: str | float, moment: str) -> None:
    expected = datetime.fromisoformat(moment) - datetime(1970, 1, 1, tzinfo=UTC)
    assert parse_time(written) == expected // timedelta(milliseconds=1)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "昨天",
        "2023-13-01",
        "2023-10-20 25:00",
        "0000-00-00",
        "2023-10-2011:38",
        "2023-10-20T11:38:00+25:00",
        "２０２３年１月１日",
        "1e9",
        "1" * 16,
        1e300,
        10**14,
    ],
)
def test_other_text_and_numbers_are_no_time(written: str | float) -> None:
    assert parse_time(written) is None


MOMENTS = st.datetimes(
    min_value=datetime(1900, 1, 1),  # noqa: DTZ001 - the zone is drawn apart
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001 - the zone is drawn apart
).map(lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000))
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(MOMENTS, OFFSETS)
def test_iso_8601_is_read_exactly(moment: datetime, offset: timezone) -> None:
    aware = moment.replace(tzinfo=offset)
    expected = (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert parse_time(aware.isoformat()) == expected
    assert parse_time(moment.isoformat(" "), naive=offset) == expected


@given(st.text() | st.floats(allow_nan=False, allow_infinity=False) | st.integers())
def test_nothing_raises(written: str | float) -> None:
    assert parse_time(written, CHINA) is None or isinstance(parse_time(written, CHINA), int)


@pytest.mark.parametrize(
    ("milliseconds", "written"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (1_767_571_200_123, "2026-01-05T00:00:00.123Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (253_402_300_800_000, "A10000-01-01T00:00:00.000Z"),
        # 2026 in microseconds, as some producers stamp by mistake.
        (1_767_571_200_123_456, "A57982-02-07T00:02:03.456Z"),
        (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"),
        (-(2**63), "0001-01-01T00:00:00.000Z"),
    ],
)
def test_every_time_can_be_written(milliseconds: int, written: str) -> None:
    assert write_time(milliseconds) == written


@given(st.integers(-62_135_596_800_000, 2**63 - 1), st.integers(-62_135_596_800_000, 2**63 - 1))
def test_written_times_sort_like_times(one: int, other: int) -> None:
    assert (write_time(one) < write_time(other)) == (one < other)


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_written_times_are_read_as_what_they_were(milliseconds: int) -> None:
    assert parse_time(write_time(milliseconds)) == milliseconds
