"""compose: a PostgreSQL, an S3 store and the tasks, to try everything on one machine; a task is started, and ends."""

from __future__ import annotations

from collections.abc import Iterator

from attestore.schedule.cron import expression
from attestore.schedule.kubernetes import ACCOUNT, CONFIG, IMAGE, STATE, in_containers, inside, quoted
from attestore.schedule.site import MARK, File, Site, Task, safe

__all__ = ["files"]

_POSTGRES = "postgres:18"
_S3 = "minio/minio:RELEASE.2025-09-07T16-13-09Z"


def files(site: Site, *, image: str = IMAGE) -> tuple[File, ...]:
    """One compose file.

    Raises:
        PlanError: something in it can't be said.
    """
    return (File(f"attestore-{site.system}.compose.yaml", "\n".join(_lines(safe(site), image=image)) + "\n"),)


def _lines(site: Site, *, image: str) -> Iterator[str]:
    yield MARK
    yield f"# System {site.system}: docker compose up --detach postgres s3, then docker compose run --rm backup, and so on."
    yield "# The tasks have a profile, so that `up` does not start them; their times, for a scheduler of the host:"
    for task in in_containers(site):
        yield f"#   {expression(task.timing):<12} docker compose --file attestore-{site.system}.compose.yaml run --rm {task.name}"
    yield f"# Secrets are files below ./secrets, one named like each variable, readable by account {ACCOUNT} alone (chmod 600);"
    yield "# none of them stands here."
    yield "# Attestore makes no buckets. Once, for the bucket that attestore.yaml names:"
    yield '#   docker compose exec s3 sh -c \'mc alias set here http://127.0.0.1:9000 "$(cat /run/secrets/MINIO_ROOT_USER)" \\'
    yield '#     "$(cat /run/secrets/MINIO_ROOT_PASSWORD)" && mc mb --with-lock here/BUCKET\''
    yield f"name: {quoted(f'attestore-{site.system}'.lower())}"
    yield "services:"
    yield from _postgres()
    yield from _s3()
    for task in in_containers(site):
        yield from _task(site, task, image=image)
    yield "volumes:"
    yield "  postgres: {}"
    yield "  s3: {}"
    yield "  state: {}"
    yield "  work: {}"
    yield from (f"  {quoted(f'store-{store}')}: {{}}" for store, _ in site.stores)
    yield "secrets:"
    yield from (f"  {name}: {{file: {quoted(f'./secrets/{name}')}}}" for name in _secrets(site))


def _secrets(site: Site) -> tuple[str, ...]:
    names = ("POSTGRES_PASSWORD", "PGPASSFILE", "MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD", *site.secrets)
    return tuple(dict.fromkeys(names))


def _postgres() -> Iterator[str]:
    yield "  postgres:"
    yield f"    image: {quoted(_POSTGRES)}"
    yield "    environment: {POSTGRES_PASSWORD_FILE: /run/secrets/POSTGRES_PASSWORD}"
    yield "    secrets: [POSTGRES_PASSWORD]"
    yield "    volumes: [postgres:/var/lib/postgresql]"
    yield "    healthcheck: {test: [CMD, pg_isready, --username=postgres], interval: 5s, timeout: 5s, retries: 20}"
    yield "    security_opt: [no-new-privileges:true]"
    yield "    restart: unless-stopped"


def _s3() -> Iterator[str]:
    yield "  s3:"
    yield f"    image: {quoted(_S3)}"
    yield "    command: [server, /data]"
    yield "    environment:"
    yield "      MINIO_ROOT_USER_FILE: /run/secrets/MINIO_ROOT_USER"
    yield "      MINIO_ROOT_PASSWORD_FILE: /run/secrets/MINIO_ROOT_PASSWORD"
    yield "    secrets: [MINIO_ROOT_USER, MINIO_ROOT_PASSWORD]"
    yield "    volumes: [s3:/data]"
    yield "    healthcheck: {test: [CMD, mc, ready, local], interval: 5s, timeout: 5s, retries: 20}"
    yield "    security_opt: [no-new-privileges:true]"
    yield "    restart: unless-stopped"


def _task(site: Site, task: Task, *, image: str) -> Iterator[str]:
    yield f"  {task.name}:"
    yield f"    image: {quoted(image)}"
    yield "    build: {context: ., dockerfile: Containerfile}"
    yield "    profiles: [tasks]"
    yield f"    command: [{', '.join(_literal(word) for word in inside(task))}]"
    yield f"    user: {quoted(f'{ACCOUNT}:{ACCOUNT}')}"
    yield "    read_only: true"
    yield "    cap_drop: [ALL]"
    yield "    security_opt: [no-new-privileges:true]"
    yield "    init: true"
    yield "    stop_grace_period: 5m"
    # a secret of that name is read where the variable is not set
    yield "    environment: {CREDENTIALS_DIRECTORY: /run/secrets, PGPASSFILE: /run/secrets/PGPASSFILE}"
    yield f"    secrets: [{', '.join(('PGPASSFILE', *site.secrets))}]"
    yield "    volumes:"
    yield f"      - {quoted(f'state:{STATE}')}"
    yield f"      - {quoted(f'./attestore.yaml:{CONFIG}:ro')}"
    # dump and restored copy lie here: a database does not fit into memory
    yield "      - work:/tmp"
    for store, path in site.stores:
        yield f"      - {{type: volume, source: {quoted(f'store-{store}')}, target: {_literal(str(path))}}}"
    yield "    depends_on: {postgres: {condition: service_healthy}, s3: {condition: service_healthy}}"
    yield '    restart: "no"'


def _literal(word: str) -> str:
    """A word in which compose sees no variable."""
    return quoted(word.replace("$", "$$"))
