"""What pg_restore says, and what CREATE DATABASE is told."""

from __future__ import annotations

import pytest

from attestore.adapters.postgres.restored import locale_clause, restore_errors
from attestore.errors import ScratchError
from attestore.evidence import Locale

TOLD = """\
pg_restore: error: could not execute query: ERROR:  role "ghost" does not exist
Command was: ALTER TABLE public.b OWNER TO ghost;


pg_restore: error: could not execute query: ERROR:  relation "b" already exists
Command was: CREATE TABLE public.b (
    a integer
);


pg_restore: error: COPY failed for table "b": ERROR:  duplicate key value violates unique constraint "b_pkey"
DETAIL:  Key (a)=(canary) already exists.
CONTEXT:  COPY b, line 1
pg_restore: warning: errors ignored on restore: 3
"""


def test_each_error_is_told_with_its_command_and_without_rows() -> None:
    assert restore_errors(TOLD, code=1) == (
        'could not execute query: ERROR:  role "ghost" does not exist (ALTER TABLE public.b OWNER TO ghost;)',
        'could not execute query: ERROR:  relation "b" already exists (CREATE TABLE public.b ()',
        'COPY failed for table "b": ERROR:  duplicate key value violates unique constraint "b_pkey"',
    )


def test_a_password_in_a_command_is_not_told() -> None:
    told = "pg_restore: error: could not execute query: ERROR:  no\nCommand was: X OPTIONS (password 'canary');\n"
    assert restore_errors(told, code=1) == ("could not execute query: ERROR:  no (X OPTIONS (password [hidden]);)",)


def test_an_error_without_a_command_counts() -> None:
    assert restore_errors('pg_restore: error: could not open file "toc.dat"\n', code=1) == (
        'could not open file "toc.dat"',
    )


def test_an_error_is_never_silent() -> None:
    assert restore_errors("", code=1) == ("pg_restore ended with exit code 1: it said nothing",)
    assert restore_errors("gibberish\n", code=1) == ("pg_restore ended with exit code 1: gibberish",)


def test_a_warning_is_no_error() -> None:
    assert restore_errors("pg_restore: warning: the archive is old\n", code=0) == ()


def told(locale: Locale, *, major: int) -> str:
    return locale_clause(locale, major=major).as_string(None)


def test_the_locale_is_told_in_the_words_of_the_servers_major() -> None:
    libc = Locale("UTF8", "libc", "C.UTF-8", "C.UTF-8", "")
    icu = Locale("UTF8", "icu", "C.UTF-8", "C.UTF-8", "de-AT")
    builtin = Locale("UTF8", "builtin", "C", "C", "C.UTF-8")
    assert told(libc, major=14) == "ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'"
    assert told(libc, major=15).endswith("LOCALE_PROVIDER libc")
    assert told(icu, major=15).endswith("LOCALE_PROVIDER icu ICU_LOCALE 'de-AT'")
    assert told(builtin, major=17).endswith("LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'")


def test_a_locale_cannot_become_sql() -> None:
    assert "'x''; DROP'" in told(Locale("UTF8", "libc", "x'; DROP", "C", ""), major=15)


@pytest.mark.parametrize(("provider", "major"), [("icu", 14), ("builtin", 16), ("other", 18)])
def test_a_provider_that_the_server_does_not_know_is_refused(provider: str, major: int) -> None:
    with pytest.raises(ScratchError, match=f"PostgreSQL {major} does not know the locale provider '{provider}'"):
        told(Locale("UTF8", provider, "C", "C", "x"), major=major)
