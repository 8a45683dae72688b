import sqlite3
import sys
from pathlib import Path

import pytest

from ordu.store import migrations
from ordu.store.migrations import NEWEST, SchemaError, bring_up_to_date, version_of
from ordu.store.sqlite import Sqlite


def test_a_new_file_gets_the_newest_schema(tmp_path):
    path = tmp_path / "new.sqlite3"
    assert version_of(path) is None
    assert bring_up_to_date(path) is True
    assert version_of(path) == NEWEST
    assert bring_up_to_date(path) is False


def test_a_start_that_is_up_to_date_does_not_load_the_migration_library(tmp_path):
    import subprocess

    path = tmp_path / "horde.sqlite3"
    bring_up_to_date(path)
    code = (
        "import sys, pathlib; from ordu.store.migrations import bring_up_to_date;"
        f"bring_up_to_date(pathlib.Path({str(path)!r}));"
        "sys.exit('alembic' in sys.modules or 'sqlalchemy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_no_migrate_refuses_and_changes_nothing(tmp_path):
    path = tmp_path / "new.sqlite3"
    with pytest.raises(SchemaError, match="--no-migrate"):
        bring_up_to_date(path, may_migrate=False)
    assert not path.exists()


def test_a_newer_schema_is_refused(tmp_path):
    path = tmp_path / "newer.sqlite3"
    bring_up_to_date(path)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    with pytest.raises(SchemaError, match="newer Ordu"):
        bring_up_to_date(path)


def the_schema(path):
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    found = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    connection.close()
    return {tuple("".join(str(each).split()) for each in row) for row in found}


def test_a_new_database_is_what_the_migration_library_makes(tmp_path):
    from ordu.store.migrations import runner

    bring_up_to_date(tmp_path / "new.sqlite3")
    runner.upgrade(tmp_path / "library.sqlite3")
    assert version_of(tmp_path / "library.sqlite3") == NEWEST
    assert the_schema(tmp_path / "new.sqlite3") == the_schema(tmp_path / "library.sqlite3")


def test_a_new_database_that_fails_has_not_happened(tmp_path, monkeypatch):
    path = tmp_path / "half.sqlite3"
    broken = [*list(migrations.statements())[:5], "CREATE NONSENSE"]
    with monkeypatch.context() as failing:
        failing.setattr(migrations, "statements", lambda: broken)
        with pytest.raises(sqlite3.OperationalError):
            bring_up_to_date(path)
    assert version_of(path) is None
    bring_up_to_date(path)
    assert version_of(path) == NEWEST


def test_a_migration_that_fails_has_not_happened(tmp_path, monkeypatch):
    from alembic import op

    path = tmp_path / "half.sqlite3"
    connection = sqlite3.connect(path)
    connection.executescript((Path(__file__).parent / "schemas" / "0001.sql").read_text())
    connection.close()
    done = []
    execute = op.execute

    def fail_late(statement):
        done.append(statement)
        if len(done) == 5:
            raise RuntimeError("pulled the plug")
        execute(statement)

    monkeypatch.setattr(op, "execute", fail_late)
    with pytest.raises(RuntimeError, match="pulled the plug"):
        bring_up_to_date(path)
    monkeypatch.undo()
    assert version_of(path) == "0001"
    bring_up_to_date(path)
    Sqlite(path).close()
    assert version_of(path) == NEWEST
