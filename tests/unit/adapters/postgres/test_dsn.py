"""What an operator calls a database, taken apart; the password ends up in one private file and nowhere else."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from attestore.adapters.postgres import dsn
from attestore.errors import DiskError, UsageError


def read(source: str, folder: Path, **environ: str) -> dsn.Environment:
    return dsn.read(source, folder=folder, environ=environ)


def passfile(folder: Path) -> list[str]:
    return (folder / "passfile").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    ("source", "label", "database", "expected"),
    [
        ("goimg", "service goimg", "goimg", {"service": "goimg"}),
        ("service=goimg", "service goimg", "goimg", {"service": "goimg"}),
        ("service=goimg dbname=other", "other of service goimg", "other", {"service": "goimg", "dbname": "other"}),
        (
            "postgresql://app@db.example.org:6432/shop?sslmode=verify-full&options=-c%20geqo%3Doff",
            "shop at db.example.org:6432",
            "shop",
            {"user": "app", "host": "db.example.org", "port": "6432", "dbname": "shop", "sslmode": "verify-full",
             "options": "-c geqo=off"},
        ),
        ("host=/run/x dbname='two words'", "two words at /run/x", "two words", {"host": "/run/x", "dbname": "two words"}),
        ("user=app", "app (local)", "app", {"user": "app"}),
        (
            "host=a,b port=1,2 dbname=d target_session_attrs=read-write keepalives_idle=5",
            "d at a,b:1,2",
            "d",
            {"host": "a,b", "port": "1,2", "dbname": "d", "target_session_attrs": "read-write", "keepalives_idle": "5"},
        ),
    ],
)  # fmt: skip
def test_every_form_survives(tmp_path: Path, source: str, label: str, database: str, expected: dict[str, str]) -> None:
    environment = read(source, tmp_path)
    assert environment.label == label
    assert environment.database == database
    parts = conninfo_to_dict(environment.conninfo)
    assert parts.pop("application_name") == "attestore"
    assert parts.pop("connect_timeout", None) == (None if "service" in expected else "10")
    assert parts == expected
    assert list(tmp_path.iterdir()) == [], "no password, no file"


def test_variables_say_the_same_to_programmes(tmp_path: Path) -> None:
    environment = read(
        "host=h dbname=d sslmode=require", tmp_path, PGPORT="7", PGHOST="other", PGTZ="x", HOME="/h", LANG="C"
    )
    assert dict(environment.variables) == {
        "PGAPPNAME": "attestore",
        "PGCONNECT_TIMEOUT": "10",
        "PGDATABASE": "d",
        "PGHOST": "h",
        "PGPORT": "7",
        "PGSSLMODE": "require",
        "HOME": "/h",
    }


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("postgresql://u:s3cret@h:5/d", ["h:5:d:u:s3cret"]),
        ("host=h password=s3cret", ["h:*:*:*:s3cret"]),
        ("service=x password=s3cret", ["*:*:*:*:s3cret"]),
        ("host=/run/pg port=5 password=s3cret user=u dbname=d", ["/run/pg:5:d:u:s3cret", "localhost:5:d:u:s3cret"]),
        ("host=a,b port=1,2 password=s3cret", ["a:1:*:*:s3cret", "b:2:*:*:s3cret"]),
        ("host=a,b port=1 password=s3cret", ["a:1:*:*:s3cret", "b:1:*:*:s3cret"]),
        ("host=a, port=1, password=s3cret", ["a:1:*:*:s3cret", "localhost:*:*:*:s3cret"]),
        ("hostaddr=10.0.0.1 password=s3cret", ["10.0.0.1:*:*:*:s3cret"]),
        ("host=h hostaddr=10.0.0.1 password=s3cret", ["h:*:*:*:s3cret"]),
        ("host=h,i hostaddr=10.0.0.1,10.0.0.2 password=s3cret", ["h:*:*:*:s3cret", "i:*:*:*:s3cret"]),
        ("postgresql://u:s3cret@[::1]:5/d", [r"\:\:1:5:d:u:s3cret"]),
        (r"host=h user=a:b dbname='c\\d' password='s3c:\\ret'", [r"h:*:c\\d:a\:b:s3c\:\\ret"]),
    ],
)
def test_a_password_is_found_again_where_libpq_looks(tmp_path: Path, source: str, lines: list[str]) -> None:
    environment = read(source, tmp_path)
    assert passfile(tmp_path) == lines
    assert stat.S_IMODE((tmp_path / "passfile").stat().st_mode) == 0o600
    assert environment.variables["PGPASSFILE"] == str(tmp_path / "passfile")
    told = f"{environment!r}{environment.conninfo}{dict(environment.variables)}{environment.label}"
    assert "s3c" not in told
    assert "PGPASSWORD" not in environment.variables


def test_a_password_of_the_environment_is_moved_too(tmp_path: Path) -> None:
    environment = read("host=h", tmp_path, PGPASSWORD="s3cret")
    assert passfile(tmp_path) == ["h:*:*:*:s3cret"]
    assert "s3cret" not in repr(environment)


def test_two_passwords_are_one_too_many(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="PGPASSWORD has another") as problem:
        read("host=h password=s3cret", tmp_path, PGPASSWORD="0ther")
    assert "s3cret" not in f"{problem.value}{problem.value.hint}"
    assert read("host=h password=s3cret", tmp_path, PGPASSWORD="s3cret").label


@pytest.mark.parametrize(
    "source",
    [
        "",
        "  ",
        "two words",
        "host=h s3cret",
        "host=h password='s3cret",
        "postgresql://u:s3cret@[h/d",
        "postgresql://u:s3%ZZcret@h/d",
        "mysql://u:s3cret@h/d",
        "host=h s3cret=1",
        "host=h sslpassword=s3cret",
        "host=h oauth_client_secret=s3cret",
        "host=h replication=database password=s3cret",
        "host=h password='s3cret\nline'",
    ],
)
def test_what_cannot_be_meant_is_refused_without_repeating_secrets(tmp_path: Path, source: str) -> None:
    with pytest.raises(UsageError) as problem:
        read(source, tmp_path)
    assert problem.value.hint
    assert "s3cret" not in f"{problem.value}{problem.value.hint}"
    assert problem.value.__cause__ is None
    assert problem.value.__context__ is None
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_hold_the_password_is_told(tmp_path: Path) -> None:
    (tmp_path / "passfile").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DiskError, match=str(tmp_path)):
        read("host=h password=s3cret", tmp_path)
    assert not (tmp_path / "elsewhere").exists()


def test_sessions_of_one_proof_are_not_spread_over_servers(tmp_path: Path) -> None:
    environment = read(
        "host=a,b load_balance_hosts=random client_encoding=LATIN1", tmp_path, PGLOADBALANCEHOSTS="random"
    )
    assert environment.variables["PGLOADBALANCEHOSTS"] == "disable"
    assert "client_encoding" not in environment.conninfo


@given(
    name=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1),
    password=st.text(st.characters(exclude_characters="\0\r\n", exclude_categories=["Cs"]), min_size=1),
)
def test_any_password_and_name_survive_the_password_file(
    tmp_path_factory: pytest.TempPathFactory, name: str, password: str
) -> None:
    folder = tmp_path_factory.mktemp("private")
    read(make_conninfo("", host="h", user=name, password=password, dbname="d"), folder)
    text = (folder / "passfile").read_bytes().decode()
    expected = "*" if {"\n", "\r"} & set(name) else name
    assert _fields(text.removesuffix("\n")) == ["h", "*", "d", expected, password]


def _fields(line: str) -> list[str]:
    """As libpq reads a line."""
    fields, escaped = [""], False
    for character in line:
        if escaped or character not in "\\:":
            fields[-1] += character
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            fields.append("")
    return fields


@pytest.mark.parametrize(
    "source",
    ["host=h password=s3cret", "postgresql://u:s3cret@h/d", "postgresql:///d?password=s3cret", "password = 's3cret'"],
)
def test_a_password_in_an_argument_is_refused_and_not_repeated(source: str) -> None:
    with pytest.raises(UsageError, match=r"--into holds a password, which every user of this machine can read") as told:
        dsn.refuse_password(source, option="--into")
    assert "s3cret" not in told.value.message + told.value.hint
    assert "passfile" in told.value.hint


@pytest.mark.parametrize(
    "source", ["service=x", "x", "host=h user=password", "postgresql://u@h/password", "host=h passfile=/p"]
)
def test_an_argument_without_a_password_is_taken(source: str) -> None:
    dsn.refuse_password(source, option="--source")


def test_the_password_of_a_server_serves_every_database_of_it(tmp_path: Path) -> None:
    """A database that takes a restore is not the one whose name the operator wrote."""
    named = "host=db user=u dbname=postgres"
    dsn.read(named, folder=tmp_path, environ={"PGPASSWORD": "p"}, everywhere=True)
    assert passfile(tmp_path) == ["db:*:*:u:p"]
