"""A new attestore.yaml: what was answered, and beside it, in comments, what else could be said."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from attestore.config.installation import read_installation
from attestore.config.stores import DirectoryPlace, S3Place, StorePlace
from attestore.errors import UsageError

__all__ = ["Answers", "draft"]


@dataclass(frozen=True, slots=True)
class Answers:
    """What init was told."""

    system: str
    source: str
    stores: tuple[StorePlace, ...]
    gates: tuple[str, ...]
    organisation: str = ""


def draft(answers: Answers) -> bytes:
    """The text of a configuration that says just this, with comments; it has been read back.

    Raises:
        GateError: an answer can't stand in a configuration, such as a source that holds a password.
        UsageError: an answer holds characters that no configuration may hold.
    """
    text = _TEXT.format(
        organisation=_quoted(answers.organisation) if answers.organisation else "Example Ltd",
        report="" if answers.organisation else "# ",
        stores="".join(_store(place) for place in answers.stores),
        names=", ".join(place.name for place in answers.stores),
        system=answers.system,
        source=_quoted(answers.source),
        gates=", ".join(_quoted(gate) for gate in answers.gates),
    )
    read_installation(text.encode("utf-8"), file=Path("attestore.yaml"))
    return text.encode("utf-8")


def _store(place: StorePlace) -> str:
    if isinstance(place, DirectoryPlace):
        said = {"kind": "directory", "path": _quoted(str(place.path))}
    else:
        said = {"kind": "s3", "bucket": _quoted(place.bucket)}
        for key, value in (("prefix", place.prefix), ("endpoint", place.endpoint), ("region", place.region)):
            if value:
                said[key] = _quoted(value)
        if place.profile not in {"aws", "generic"}:
            said["profile"] = place.profile
        if place.lock is not None and place.lock.keep_s:
            said["lock"] = f"{{mode: {place.lock.mode}, for: {_span(place.lock.keep_s)}}}"
    if place.off_site:
        said["off_site"] = "true"
    lines = [f"    {key}: {value}\n" for key, value in said.items()]
    if isinstance(place, S3Place):
        lines.append(
            '    # access_key_id: "env:AWS_ACCESS_KEY_ID"          # default: as other AWS programmes find them\n'
        )
        lines.append('    # secret_access_key: "env:AWS_SECRET_ACCESS_KEY"\n')
        if place.lock is None:
            lines.append("    # lock: {mode: compliance, for: 30d}              # nobody can delete before\n")
    return f"  {place.name}:\n{''.join(lines)}"


def _span(seconds: int) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _quoted(text: str) -> str:
    if any(not each.isprintable() for each in text):
        raise UsageError(f"{text!r} holds a character that can't be printed", hint="Write it in one line of text.")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


_TEXT = """\
# attestore.yaml: what Attestore cares for. Flags win over this file; attestore config show prints what holds.
# Paths are relative to this file. Secrets never stand here: write env:NAME or file:/path where one is needed.
attestore: 1

home: .attestore                # keys and roster; keep it safe, and nobody else's
reports: reports                # what runs leave: reports, evidence, ledger
# gates: gates                  # folder of your own gate files, searched before the shipped ones
# roster: .attestore/roster.yaml  # whom to trust; better kept where changes are reviewed

{report}report:
{report}  organisation: {organisation}
#   logo: branding/logo.svg     # svg or png
#   accent: "#1f4e8c"
#   paper: A4                   # or Letter
#   language: en                # or de

# keys:
#   recipients: []              # fingerprints (attestore keys list): every backup is sealed to each
#   passphrase: file:/run/secrets/attestore   # where the passphrase of the keys in home is

stores:                         # where backups are kept; the first is restored from
{stores}
systems:
  {system}:
    source: {source}    # no password here: use a passfile or a service
    stores: [{names}]
    gates: [{gates}]
    # jobs: 2                   # parallel sessions
    # source_jobs: 1            # at most so many at work on the source at once
    # source_pause: 50ms        # their rest between two chunks
    # method: audit             # or stream
    retention: {{daily: 7, weekly: 4, monthly: 6, at_least: 3, time_zone: UTC}}
    # schedule: {{backup: "daily 02:00", prune: weekly, drill: monthly, status: daily}}

# metrics: {{textfile: /var/lib/node_exporter/attestore.prom}}
# notify: {{urls: ["env:ATTESTORE_NOTIFY_URL"], before: 7d}}
"""
