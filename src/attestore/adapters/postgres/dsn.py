"""What an operator calls a database, taken apart: a password never travels further than this room."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from attestore.errors import DiskError, UsageError

__all__ = ["Environment", "check", "read", "refuse_password"]

_FORMS: Final = (
    "Write a service name, postgresql://user@host:5432/database, or 'host=… dbname=… user=…'; "
    "keep the password in a passfile or in PGPASSWORD."
)
_NO_SAFE_PLACE: Final = ("sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key")
"""secrets that libpq takes from the connection string only"""
_OURS: Final = ("client_encoding", "fallback_application_name", "PGCLIENTENCODING", "PGLOADBALANCEHOSTS")
"""the session's own business, see session.py"""
_ALSO: Final = ("HOME", "KRB5CCNAME", "KRB5_CONFIG", "PGSERVICEFILE", "PGSYSCONFDIR")
"""what else libpq reads: where service files, certificates and tickets are"""


@dataclass(frozen=True, slots=True)
class Environment:
    """How to reach one database; holds no secret, so it may be printed.

    Programmes are started with `variables` in their environment and ``--dbname=<conninfo>`` among their arguments:
    libpq lets a service override variables, so only the connection string keeps what the operator wrote beside a service.
    """

    conninfo: str
    """libpq connection string without password"""
    variables: Mapping[str, str]
    """what libpq reads in programmes: PG* and where its files are; a password is in the file that PGPASSFILE names"""
    label: str
    """the database in words, for people"""
    database: str
    """its name as far as it is known without asking the server: else the service's, else the user's"""


def refuse_password(source: str, *, option: str) -> None:
    """A password among a programme's arguments is seen by every user of the machine, so it is not taken from there.

    By the time it is refused it has been seen; but a habit that works is never given up.

    Raises:
        UsageError: the connection string holds one, or can't be meant.
    """
    given = _parse(source.strip())
    if "password" in given:
        raise UsageError(
            f"{_label(given)}: {option} holds a password, which every user of this machine can read in `ps` meanwhile",
            hint="Take it out: use a passfile (~/.pgpass, PGPASSFILE), a service with a passfile, or PGPASSWORD.",
        )


def check(source: str) -> None:
    """Whether a source can be meant at all, before anybody asks a server.

    Raises:
        UsageError: it can't.
    """
    _refuse(_parse(source.strip()))


def read(source: str, *, folder: Path, environ: Mapping[str, str], everywhere: bool = False) -> Environment:
    """Take apart a connection string, a URI or a service name.

    A password found in it, or in PGPASSWORD, is moved into a file of mode 0600 in `folder`, which must be private;
    the file is gone when its owner removes the folder. It serves that database only, or `everywhere` on the server.

    Raises:
        UsageError: it isn't any of the three, or holds a secret that cannot be kept out of arguments.
        DiskError: the password file cannot be written.
    """
    given = _parse(source.strip())
    _refuse(given)
    password = given.pop("password", None)
    inherited = {
        name: value
        for name, value in environ.items()
        if name in _ALSO or (name in _VARIABLES.values() and name not in _OURS)
    }
    fallback = inherited.pop("PGPASSWORD", None)
    if password is not None and fallback is not None and password != fallback:
        raise UsageError(
            f"{_label(given)}: the source has one password and PGPASSWORD has another",
            hint="Unset PGPASSWORD, or leave the password out of the source.",
        )
    secret = password if password is not None else fallback
    for name in _OURS:
        given.pop(name, None)
    given.setdefault("application_name", "attestore")
    if "load_balance_hosts" in given:
        # the sessions of one proof share a snapshot, so they must meet on one server
        given["load_balance_hosts"] = "disable"
    if "service" not in given and not inherited.keys() & {"PGSERVICE", "PGCONNECT_TIMEOUT"}:
        given.setdefault("connect_timeout", "10")
    if secret is not None:
        given["passfile"] = str(_passfile(given, secret, folder=folder, everywhere=everywhere))
    variables = inherited | {_VARIABLES[name]: value for name, value in given.items() if name in _VARIABLES}
    return Environment(
        conninfo=make_conninfo("", **given),
        variables=MappingProxyType(variables),
        label=_label(given),
        database=_database(given, inherited),
    )


_VARIABLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        option.keyword.decode(): option.envvar.decode()
        for option in pq.Conninfo.get_defaults()
        if option.envvar is not None
    }
)


def _parse(source: str) -> dict[str, str]:
    if not source:
        raise UsageError("the source is empty", hint=_FORMS)
    if "=" not in source and "://" not in source:
        if any(character.isspace() for character in source):
            raise UsageError("the source is neither a connection string nor a service name", hint=_FORMS)
        return {"service": source}
    try:
        parts = conninfo_to_dict(source)
    except psycopg.Error:
        # libpq quotes the text it stumbled over, which may be the password: say nothing of it
        problem = UsageError("the source is not a connection string that libpq understands", hint=_FORMS)
    else:
        return {name: str(value) for name, value in parts.items() if value is not None and value != ""}
    raise problem


def _refuse(given: Mapping[str, str]) -> None:
    for name in _NO_SAFE_PLACE:
        if name in given:
            raise UsageError(
                f"{_label(given)}: {name} in the source cannot be kept out of programmes' arguments",
                hint="Leave it out; for sslpassword, use a key file of mode 0600 without a passphrase.",
            )
    if "replication" in given:
        raise UsageError(
            f"{_label(given)}: a replication connection cannot be backed up logically",
            hint="Leave replication out of the source.",
        )


def _database(given: Mapping[str, str], inherited: Mapping[str, str]) -> str:
    known = (
        given.get("dbname"),
        given.get("service"),
        inherited.get("PGDATABASE"),
        inherited.get("PGSERVICE"),
        given.get("user"),
        inherited.get("PGUSER"),
    )
    return next((name for name in known if name), "database")


def _label(given: Mapping[str, str]) -> str:
    """Where it is, in the words of the operator."""
    if "service" in given and "dbname" not in given:
        return f"service {given['service']}"
    database = given.get("dbname", given.get("user", "default database"))
    if "service" in given:
        return f"{database} of service {given['service']}"
    hosts = given.get("host", given.get("hostaddr", ""))
    ports = given.get("port", "")
    if not hosts:
        return f"{database} (local{f', port {ports}' if ports else ''})"
    return f"{database} at {hosts}{f':{ports}' if ports else ''}"


def _passfile(given: Mapping[str, str], secret: str, *, folder: Path, everywhere: bool) -> Path:
    if "\n" in secret or "\r" in secret or "\0" in secret:
        raise UsageError(
            f"{_label(given)}: the password contains a line break, which a password file cannot hold",
            hint="Change the password, or authenticate by certificate.",
        )
    told = {name: value for name, value in given.items() if not (everywhere and name == "dbname")}
    rest = tuple(_escaped(told[name]) if name in told else "*" for name in ("dbname", "user"))
    lines = dict.fromkeys(":".join((host, port, *rest, _escaped(secret))) for host, port in _places(given))
    path = folder / "passfile"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.writelines(f"{line}\n" for line in lines)
    except OSError as problem:
        raise DiskError(
            f"the password file in {folder} cannot be written: {problem.strerror}",
            hint="Give Attestore a private, writable folder that holds no password file yet.",
        ) from problem
    return path


def _places(given: Mapping[str, str]) -> list[tuple[str, str]]:
    """Host and port as libpq looks them up in a password file; `*` for what the service or the environment decides.

    libpq looks up `host`, else `hostaddr`; a socket folder as it is, but as `localhost` if it is the folder that this
    very libpq was built with. That differs between builds, so a socket folder gets both lines.
    """
    named = given.get("host", "")
    hosts = (named or given.get("hostaddr", "")).split(",")
    ports = given.get("port", "").split(",")
    if named and "hostaddr" in given:
        addresses = given["hostaddr"].split(",")
        hosts = [host or address for host, address in zip(hosts, addresses, strict=False)]
    if len(ports) == 1:
        ports = ports * len(hosts)
    places: list[tuple[str, str]] = []
    for host, port in zip(hosts, ports, strict=False):
        # within a list, an empty host is the default socket folder; alone, the service or environment may name one
        several = len(hosts) > 1
        names = [_escaped(host)] if host else ["localhost" if several else "*"]
        if host.startswith(("/", "@")):
            names.append("localhost")
        places += [(name, _escaped(port) if port else "*") for name in names]
    return places


def _escaped(field: str) -> str:
    if "\n" in field or "\r" in field:
        # the file cannot hold such a name; the file serves one database only, so any name will do
        return "*"
    return field.replace("\\", "\\\\").replace(":", "\\:")
