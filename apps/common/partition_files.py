"""The archive of a month: its rows in one compressed file, and a manifest of what is in it."""

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson
import psycopg
from django.db import connections
from psycopg import sql

from apps.common.partition_tables import ALIAS, Month

FORMAT = 1
CHUNK_BYTES = 1 << 20
_COLUMNS = """
    SELECT attname FROM pg_attribute
     WHERE attrelid = to_regclass(quote_ident(%s)) AND attnum > 0 AND NOT attisdropped
       AND attgenerated = '' ORDER BY attnum
"""


class ArchiveBrokenError(Exception):
    """An archive is missing, or is not what its manifest says."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive holds: the digest is of the rows before they were compressed."""

    format: int
    table: str
    month: str
    columns: list[str]
    rows: int
    sha256: str

    @property
    def file_name(self) -> str:
        """The name of the file with the rows."""
        return f"{self.table}_{self.month}.copy.gz"


def manifest_path(folder: Path, *, table: str, suffix: str) -> Path:
    """Return where the manifest of a month is."""
    return folder / f"{table}_{suffix}.json"


def write(folder: Path, month: Month) -> Manifest:
    """
    Write a detached month's rows and manifest, and return the manifest once both are on the disk.

    Only this user may read them. What stood there before is replaced.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    columns = _columns(month)
    draft = folder / f"{month.name}.copy.gz.draft"
    digest, rows = hashlib.sha256(), 0
    with _private(draft) as file:
        with gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as packed:
            for chunk in _rows(month, columns):
                digest.update(chunk)
                rows += chunk.count(b"\n")
                packed.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    manifest = Manifest(FORMAT, month.table, month.suffix, columns, rows, digest.hexdigest())
    draft.replace(folder / manifest.file_name)
    _write_manifest(folder, manifest)
    return manifest


def read_manifest(folder: Path, *, table: str, suffix: str) -> Manifest:
    """Return a manifest. Raises ArchiveBrokenError when there is none that can be read."""
    path = manifest_path(folder, table=table, suffix=suffix)
    try:
        manifest = Manifest(**orjson.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise ArchiveBrokenError(f"{path.name} cannot be read: {type(error).__name__}") from error
    if (manifest.format, manifest.table, manifest.month) != (FORMAT, table, suffix):
        raise ArchiveBrokenError(f"{path.name} is about something else")
    return manifest


def check(folder: Path, manifest: Manifest) -> None:
    """Read the file back from its first byte to its last. Raises ArchiveBrokenError."""
    digest, rows = hashlib.sha256(), 0
    for chunk in _unpacked(folder, manifest):
        digest.update(chunk)
        rows += chunk.count(b"\n")
    if (digest.hexdigest(), rows) != (manifest.sha256, manifest.rows):
        raise ArchiveBrokenError(f"{manifest.file_name} is not what its manifest says")


def is_of(manifest: Manifest, month: Month) -> bool:
    """Say whether the manifest is of the rows that the month's table has now."""
    digest, rows = hashlib.sha256(), 0
    for chunk in _rows(month, manifest.columns):
        digest.update(chunk)
        rows += chunk.count(b"\n")
    return (digest.hexdigest(), rows) == (manifest.sha256, manifest.rows)


def fill(folder: Path, manifest: Manifest, month: Month) -> None:
    """Copy an archive's rows into the month's empty table, in the caller's transaction."""
    columns = sql.SQL(", ").join(map(sql.Identifier, manifest.columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(month.name), columns)
    with _owner().cursor() as cursor, cursor.copy(statement) as copy:
        for chunk in _unpacked(folder, manifest):
            copy.write(chunk)


def _rows(month: Month, columns: list[str]) -> Iterator[bytes]:
    """Yield the rows in the order of their ids, in PostgreSQL's text format: one line each."""
    statement = sql.SQL("COPY (SELECT {} FROM {} ORDER BY id) TO STDOUT").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(month.name)
    )
    with _owner().cursor() as cursor, cursor.copy(statement) as copy:
        for chunk in copy:
            yield bytes(chunk)


def _columns(month: Month) -> list[str]:
    with _owner().cursor() as cursor:
        cursor.execute(_COLUMNS, [month.name])
        return [name for (name,) in cursor.fetchall()]


def _owner() -> "psycopg.Connection[Any]":
    connection = connections[ALIAS]
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    return raw


def _unpacked(folder: Path, manifest: Manifest) -> Iterator[bytes]:
    path = folder / manifest.file_name
    try:
        with gzip.open(path, "rb") as packed:
            while chunk := packed.read(CHUNK_BYTES):
                yield chunk
    except (OSError, EOFError, zlib.error) as error:
        raise ArchiveBrokenError(f"{path.name} cannot be read: {type(error).__name__}") from error


def _write_manifest(folder: Path, manifest: Manifest) -> None:
    path = manifest_path(folder, table=manifest.table, suffix=manifest.month)
    draft = path.with_suffix(".json.draft")
    with _private(draft) as file:
        file.write(orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _private(path: Path) -> Any:
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
