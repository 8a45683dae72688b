"""The installation's secret: made once, readable by its owner only, and checked at each start."""

import stat

import pytest
from tests.conftest import ADMIN_KEY

from ordu.server.run import open_horde
from ordu.server.secret import Secret, read_secret
from ordu.settings import ServerSettings, SettingError

pytestmark = pytest.mark.anyio


def test_it_is_made_at_the_first_start_and_stays(tmp_path):
    settings = ServerSettings(data=str(tmp_path))
    first = read_secret(settings)
    path = tmp_path / "secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_text().strip()) >= 40
    assert read_secret(settings).fingerprint() == first.fingerprint()
    assert [file.name for file in tmp_path.iterdir()] == ["secret"]


def test_the_setting_wins_over_the_file(tmp_path):
    (tmp_path / "secret").write_text("from the file, long enough")
    settings = ServerSettings(data=str(tmp_path), secret="from-the-setting-long-enough")
    assert read_secret(settings).text == b"from-the-setting-long-enough"


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "secret").touch()
    with pytest.raises(SettingError, match="empty"):
        read_secret(ServerSettings(data=str(tmp_path)))


def test_each_purpose_has_a_key_of_its_own():
    secret = Secret("x" * 32)
    assert len({secret.key("links"), secret.key("api keys"), secret.key("fingerprint")}) == 3
    assert secret.hash_of("k").startswith("h1:")
    assert secret.hash_of("k") != Secret("y" * 32).hash_of("k")


async def test_another_secret_refuses_the_start(tmp_path):
    first = ServerSettings(data=str(tmp_path), secret="a" * 30)
    async with open_horde(first, "http://horde.test"):
        pass
    other = ServerSettings(data=str(tmp_path), secret="b" * 30)
    with pytest.raises(SettingError, match="not the one this database was made with"):
        async with open_horde(other, "http://horde.test"):
            pass


async def test_the_administrators_key_is_told_once(tmp_path):
    settings = ServerSettings(data=str(tmp_path))
    async with open_horde(settings, "http://horde.test") as opened:
        assert opened.new_admin_key
    async with open_horde(settings, "http://horde.test") as opened:
        assert opened.new_admin_key is None


async def test_a_given_key_becomes_the_administrators_at_every_start(tmp_path):
    from ordu.server import auth

    async with open_horde(ServerSettings(data=str(tmp_path)), "http://horde.test") as opened:
        old = opened.new_admin_key
    settings = ServerSettings(data=str(tmp_path), admin_key=ADMIN_KEY)
    async with open_horde(settings, "http://horde.test") as opened:
        assert (await auth.find(opened.horde, opened.secret, ADMIN_KEY)).id == 1
        assert await auth.find(opened.horde, opened.secret, old) is None
