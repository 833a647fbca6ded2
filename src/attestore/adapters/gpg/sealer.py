"""Seals parts: tar where it is a folder, zstd in process, gpg to the recipients; and back, believing nothing.

gpg never compresses (it would do so again, six times slower), and zstd writes its own checksum. The integrity of the
sealed bytes is the MDC's (or AEAD's), which gpg reports; equality with what was sealed is the plain digest's.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import queue
import secrets
import shutil
import threading
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Final, Self

import zstandard

from attestore.adapters.durable import create, disk_errors
from attestore.adapters.gpg import packets
from attestore.adapters.gpg.home import Said, deadline_for, temporary_home
from attestore.adapters.gpg.keyring import Key, Keyring, Subkey, unusable
from attestore.adapters.gpg.opening import Begun, Opening
from attestore.adapters.gpg.packets import ALGORITHMS, Container
from attestore.adapters.gpg.tarball import CHUNK, pack, read_file, unpack
from attestore.adapters.process import Feed, Runner
from attestore.errors import Error, KeyringError, ProgramFailedError, TamperedError
from attestore.evidence import PartRecord
from attestore.ports import FetchedPart, Hear, Plain, SealedPart, Seals, Tap, Towards

__all__ = ["GpgSealer"]

_LEVEL: Final = 1
"""half the processor time of zstd's own 3, and smaller on most of what COPY writes; prose grows by an eighth"""

_THREADS: Final = 2
_JOB: Final = 1 << 20  # bytes that a thread compresses at a time; zstd's own choice of 8 MiB costs 35 MB more
_WINDOW: Final = 32 << 20  # largest zstd window that is accepted; level 1 uses 512 KiB
_SLOWEST: Final = 8  # a transfer may take as many times as long as gpg may for the same bytes
_HEAD: Final = 1 << 20  # enough of an object for gpg to open its session key
_FILE: Final = ".zst.gpg"
_FOLDER: Final = ".tar.zst.gpg"


class GpgSealer:
    """Seals to the recipients' newest usable encryption keys; unseals with whatever private keys the keyring holds.

    With `alone`, a keyring that holds one private key and nothing else, it unseals with that key only.
    """

    def __init__(
        self,
        keyring: Keyring,
        recipients: tuple[str, ...],
        *,
        runner: Runner,
        work: Path,
        alone: Keyring | None = None,
    ) -> None:
        self._keyring = keyring
        self._recipients = recipients
        self._home = keyring.home.using(runner)
        self._opening = self._home if alone is None else alone.home.using(runner)
        self._alone = "" if alone is None else _only(alone)
        self._runner = runner
        self._work = work
        self._ahead: dict[str, Opening] = {}
        """parts that are being opened while they are fetched, by name"""

    @property
    def version(self) -> str:
        """Programme and version, and the compressor's, e.g. `gpg 2.2.40, zstd 1.5.7`."""
        return f"{self._keyring.version}, zstd {'.'.join(map(str, zstandard.ZSTD_VERSION))}"

    @property
    def recipients(self) -> tuple[str, ...]:
        """Primary key fingerprints that parts are sealed to."""
        return self._recipients

    @property
    def alone(self) -> str:
        """Primary fingerprint of the only private key that is at hand to unseal; empty: whatever the keyring holds."""
        return self._alone

    def problems(self, *, decrypting: bool) -> tuple[Error, ...]:
        """Recipients that can't be sealed to; and, if `decrypting`, whatever keeps a sealed nonce from coming back."""
        found: list[Error] = []
        keys = {key.fingerprint: key for key in self._keyring.keys()}  # noqa: SIM118  a keyring is no mapping
        if not self._recipients:
            found.append(KeyringError("there is nobody to seal to", hint="Name at least one recipient's key."))
        for fingerprint in self._recipients:
            try:
                _usable(keys, fingerprint)
            except KeyringError as problem:
                found.append(problem)
        if not found:
            found.extend(self._trial(decrypting=decrypting))
        return tuple(found)

    def seal(
        self, plain: Plain, *, role: str, into: Path, tap: Tap | None = None, towards: Towards | None = None
    ) -> SealedPart:
        """A file, or a folder as one tar stream, compressed once and encrypted into a new file below `into`.

        `tap` hears the files of a folder as they are read, in a thread of the sealer's, and is done when this returns. `towards` says who
        hears the sealed bytes, each chunk once the file has it.

        Raises:
            KeyringError: a recipient can't be sealed to.
            DiskError: no space left, or a file changed while it was read.
        """
        folder = plain.is_dir()
        name = f"{role}{_FOLDER}" if folder else f"{role}{plain.suffix}{_FILE}"
        source = pack(plain, tap) if folder else read_file(plain)
        target = into / name
        with disk_errors(f"read {plain}"):
            sizes = [file.stat().st_size for file in plain.rglob("*")] if folder else [plain.stat().st_size]
        size = sum(sizes)
        hear = None if towards is None else towards(target, _most(size, files=len(sizes)))
        words = self._encrypting()
        with create(target) as file, _Tally() as before, _Tally() as after:
            with self._home.talk(*words, stdin=_compressed(source, before), deadline_s=deadline_for(size)) as talk:
                while chunk := talk.stdout.read(CHUNK):
                    after.add(chunk)
                    file.write(chunk)
                    if hear is not None:
                        file.flush()
                        hear(chunk)
                said = talk.end()
            if said.code != 0 or "END_ENCRYPTION" not in said.status:
                raise _not_sealed(name, said)
        record = PartRecord(
            role=role,
            name=name,
            size=after.size,
            digest=after.digest,
            plain_size=before.size,
            plain_digest=before.digest,
        )
        return SealedPart(record=record, path=target)

    def unseal(self, part: FetchedPart, *, into: Path) -> Plain:
        """The part's plain file or folder below `into`, after its plain digest was compared with the record.

        Raises:
            TamperedError: the stored bytes are not the recorded ones, do not decrypt, or decrypt to something else.
            KeyringError: the private key isn't here.
            DiskError: no space left.
        """
        record = part.record
        if not part.intact:
            raise TamperedError(
                f"{record.name} came out of the store as {part.size} B with SHA-256 {part.digest}; "
                f"the manifest says {record.size} B with {record.digest}"
            )
        target = into / _plain_name(record)
        opened = self._taken(record, into)
        beside = opened or _beside(into)
        with disk_errors(f"unseal {record.name} into {into}"):
            try:
                if opened is None:
                    with part.path.open("rb") as stored:
                        self._decrypt(record, stored, beside, deadline_s=deadline_for(record.plain_size))
                if target.exists():
                    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
                beside.rename(target)
            finally:
                _remove(beside)
        return Plain(target)

    @contextlib.contextmanager
    def ahead(self, record: PartRecord, *, into: Path) -> Iterator[Hear]:
        """Open a part while it is still being fetched; `unseal` into the same folder goes on with what was opened.

        Until then it lies under another name. What no `unseal` went on with is gone when the block ends.
        """
        if (before := self._ahead.pop(record.name, None)) is not None:
            _given_up(before)
        opening = self._ahead[record.name] = Opening(record, _beside(into), partial(self._opened_ahead, record))
        try:
            yield opening.hear
        finally:
            _given_up(opening)
            if self._ahead.get(record.name) is opening:
                del self._ahead[record.name]

    def inspect(self, part: FetchedPart, *, allowed: tuple[str, ...] = ()) -> Seals:
        """What the stored bytes of a part say about how they are sealed; bytes that are no OpenPGP are sealed by nothing.

        Recipients are expected where they are `allowed` primary keys; of none, today's recipients are. The cipher stands inside the encrypted session key, so it is `unknown` where the private key isn't here.
        """
        with disk_errors(f"read {part.path}"), part.path.open("rb", buffering=0) as stream:
            layout = packets.read(stream)
            stream.seek(0)
            head = stream.read(_HEAD)
        theirs = {
            able.keyid: able
            for key in self._keyring.keys()  # noqa: SIM118
            if key.fingerprint in (allowed or self._recipients)
            for able in key.encrypting
        }
        known = [theirs.get(one.keyid) for one in layout.recipients]
        sizes = [key.bits if key else one.bits for key, one in zip(known, layout.recipients, strict=True)]
        algorithms = {ALGORITHMS.get(one.algorithm, f"algorithm {one.algorithm}") for one in layout.recipients}
        protected = layout.whole and layout.container in {Container.MDC, Container.AEAD}
        return Seals(
            recipients=len(layout.recipients),
            unexpected=known.count(None) + layout.passphrases,
            algorithm=", ".join(sorted(algorithms)) or "none",
            bits=min(sizes, default=0),
            cipher="none" if layout.container is Container.NONE else self._cipher(head),
            integrity=layout.container.value if protected else "none",
            magic=layout.magic,
        )

    def refused(self, part: FetchedPart) -> bool:
        """Whether an empty keyring refuses the part for want of the private key, and gives out no byte."""
        with (
            disk_errors(f"read {part.path}"),
            temporary_home(runner=self._runner, below=self._work) as stranger,
            part.path.open("rb") as stored,
            stranger.talk("--decrypt", stdin=stored, deadline_s=deadline_for(part.size), agent=False) as talk,
        ):
            if talk.stdout.read(1):
                return False
            said = talk.end()
        return said.code != 0 and "NO_SECKEY" in said.status and "DECRYPTION_OKAY" not in said.status

    def _encrypting(self, recipients: tuple[str, ...] = ()) -> list[str]:
        keys = {key.fingerprint: key for key in self._keyring.keys()}  # noqa: SIM118  a keyring is no mapping
        words = [
            "--trust-model",
            "always",
            "--cipher-algo",
            "AES256",
            "--compress-algo",
            "none",
            "-z",
            "0",
            "--no-armor",
        ]
        for fingerprint in recipients or self._recipients:
            # the exclamation mark: this very key, not one that gpg likes better
            words += ["--recipient", f"{_usable(keys, fingerprint).fingerprint}!"]
        return [*words, "--encrypt"]

    def _trial(self, *, decrypting: bool) -> Iterator[Error]:
        nonce = secrets.token_bytes(32)
        sealed = self._home.run(*self._encrypting(), stdin=nonce)
        if sealed.code != 0 or not sealed.stdout:
            yield _not_sealed("a nonce", sealed)
        elif decrypting:
            # a key of its own need not be one that is sealed to today: it may open older backups
            own = self._home.run(*self._encrypting((self._alone,)), stdin=nonce) if self._alone else sealed
            opened = self._opening.run("--decrypt", stdin=own.stdout)
            if opened.stdout != nonce or not opened.status.protected:
                yield _no_key("a nonce", opened)

    def _cipher(self, head: bytes) -> str:
        # gpg names the cipher before the first byte of content; it may stop there
        return self._opening.run("--max-output", "1", "--decrypt", stdin=head).status.cipher

    def _taken(self, record: PartRecord, into: Path) -> Path | None:
        """Where a part lies that was opened whole while it was fetched."""
        opening = self._ahead.pop(record.name, None)
        if opening is None:
            return None
        if opening.target.parent == into and opening.whole():
            return opening.target
        _given_up(opening)
        return None

    def _opened_ahead(self, record: PartRecord, chunks: Iterator[bytes], target: Path, begun: Begun) -> None:
        """As `_decrypt`, at the pace of a transfer."""
        try:
            with disk_errors(f"unseal {record.name} ahead"):
                patience_s = deadline_for(record.plain_size + _SLOWEST * record.size)
                self._decrypt(record, chunks, target, deadline_s=patience_s, begun=begun)
        except Error:
            _remove(target)
            raise

    def _decrypt(
        self, record: PartRecord, stored: Feed, target: Path, *, deadline_s: float, begun: Begun | None = None
    ) -> None:
        problem: TamperedError | None = None
        said: Said | None = None
        with (
            _Tally() as tally,
            self._opening.talk("--decrypt", stdin=stored, deadline_s=deadline_s) as talk,
        ):
            if begun is not None:
                begun(talk.stop)
            try:
                _decompress(talk.stdout, target, record=record, tally=tally)
            except TamperedError as found:
                problem = found
            if not talk.stdout.read(1):
                said = talk.end()
        if said is not None and (_lacks_key(said) or said.status.locked):
            raise _no_key(record.name, said)
        if problem is not None:
            raise problem
        if said is None or said.code != 0 or not said.status.protected:
            why = said.words if said is not None else "it holds more than was sealed"
            raise TamperedError(f"{record.name} does not decrypt whole: {why or 'gpg gave no reason'}")
        if (tally.size, tally.digest) != (record.plain_size, record.plain_digest):
            raise TamperedError(
                f"{record.name} decrypts to {tally.size} B with SHA-256 {tally.digest}; "
                f"sealed were {record.plain_size} B with {record.plain_digest}"
            )


class _Tally:
    """Counts bytes on their way; a thread of its own digests them while the next ones come.

    The digest is that of all of them when the block has ended.
    """

    def __init__(self) -> None:
        self.size = 0
        self._state = hashlib.sha256()
        self._waiting: queue.Queue[bytes | None] = queue.Queue(maxsize=4)
        self._thread = threading.Thread(target=self._work, name="digest of a part", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._waiting.put(None)
        self._thread.join()

    def add(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self._waiting.put(chunk)

    @property
    def digest(self) -> str:
        return self._state.hexdigest()

    def _work(self) -> None:
        while (chunk := self._waiting.get()) is not None:
            self._state.update(chunk)


class _Opened:
    """Decompressed bytes on their way out of gpg: counted, digested, and never more than were sealed."""

    def __init__(self, source: IO[bytes], *, record: PartRecord, tally: _Tally) -> None:
        self._record = record
        self._tally = tally
        opener = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
        # across frames, so that bytes behind the first frame are an error or show in the digest, never ignored
        self._reader = opener.stream_reader(source, read_size=CHUNK, read_across_frames=True, closefd=False)
        self._chunk = b""
        self._at = 0

    def read(self, size: int) -> bytes:
        """At most `size` bytes; however few are asked for, they are counted and digested by the chunk."""
        if self._at == len(self._chunk):
            self._chunk, self._at = self._next(), 0
        begin, self._at = self._at, min(self._at + size, len(self._chunk))
        return self._chunk[begin : self._at]

    def _next(self) -> bytes:
        try:
            chunk = self._reader.read(CHUNK)
        except zstandard.ZstdError as problem:
            raise TamperedError(f"{self._record.name} does not decompress: {problem}") from problem
        self._tally.add(chunk)
        if self._tally.size > self._record.plain_size:
            raise TamperedError(
                f"{self._record.name} opens to more than the {self._record.plain_size} B that were sealed"
            )
        return chunk


def _compressed(source: Iterable[bytes], tally: _Tally) -> Iterator[bytes]:
    chosen = zstandard.ZstdCompressionParameters.from_level(
        _LEVEL, threads=_THREADS, job_size=_JOB, write_checksum=True
    )
    press = zstandard.ZstdCompressor(compression_params=chosen).compressobj()
    for chunk in source:
        tally.add(chunk)
        if smaller := press.compress(chunk):
            yield smaller
    yield press.flush()


def _decompress(source: IO[bytes], target: Path, *, record: PartRecord, tally: _Tally) -> None:
    opened = _Opened(source, record=record, tally=tally)
    if record.name.endswith(_FOLDER):
        unpack(opened, target)
        while opened.read(CHUNK):  # whatever stands behind the archive's end belongs to the digest
            pass
        return
    with create(target) as file:
        while chunk := opened.read(CHUNK):
            file.write(chunk)


def _given_up(opening: Opening) -> None:
    opening.give_up()
    _remove(opening.target)


def _beside(folder: Path) -> Path:
    """A new name for what is not whole yet."""
    return folder / f".{secrets.token_hex(8)}.partial"


def _most(size: int, *, files: int) -> int:
    """Bytes that so much becomes at most, where nothing of it can be compressed."""
    return size + size // 128 + 4096 * files + (1 << 20)


def _plain_name(record: PartRecord) -> str:
    name = record.name.removesuffix(_FOLDER if record.name.endswith(_FOLDER) else _FILE)
    if name == record.name or not name or name.startswith(".") or "/" in name or "\0" in name:
        raise TamperedError(f"a part named {record.name!r} is none that was sealed here")
    return name


def _usable(keys: dict[str, Key], fingerprint: str) -> Subkey:
    key = keys.get(fingerprint)
    if key is None:
        raise KeyringError(
            f"recipient {fingerprint} is not in the keyring",
            hint="Import its public key: attestore keys import FILE, with the --home of this run.",
        )
    for able in key.encrypting if key.primary.usable else ():
        if able.usable:
            return able
    if key.primary.revoked:
        raise KeyringError(f"recipient {fingerprint} is revoked", hint="Name another recipient.")
    if key.primary.expired or key.encrypting:
        ended = max(
            (one.expires for one in (key.primary, *key.encrypting) if one.expired and one.expires), default=None
        )
        when = f" on {ended:%Y-%m-%d}" if ended else ""
        raise KeyringError(
            f"recipient {fingerprint} has no encryption key in force: expired{when} or revoked",
            hint="Make a new one (attestore keys rotate), or extend its expiry and import it again.",
        )
    raise KeyringError(
        f"recipient {fingerprint} ({key.primary.algorithm} {key.primary.bits}) can sign, but has no key that encrypts",
        hint=f"Add a subkey that encrypts: gpg --quick-add-key {fingerprint} rsa4096 encr.",
    )


def _only(keyring: Keyring) -> str:
    private = [key.fingerprint for key in keyring.keys() if key.secret]  # noqa: SIM118  a keyring is no mapping
    if len(private) != 1:
        raise KeyringError(f"{keyring.home.path} holds {len(private)} private keys, not one")
    return private[0]


def _lacks_key(said: Said) -> bool:
    return "NO_SECKEY" in said.status and "DECRYPTION_KEY" not in said.status and "DECRYPTION_OKAY" not in said.status


def _no_key(what: str, said: Said) -> KeyringError:
    tried = said.status.all("KEY_CONSIDERED")
    if tried and (locked := unusable(tried[-1].words[0], said)) is not None:
        return locked
    wanted = ", ".join(line.words[0] for line in said.status.all("ENC_TO") if line.words)
    return KeyringError(
        f"the private key for {what} (sealed to {wanted or 'nobody known'}) can't be used here: {said.words}",
        hint="Import the private key (attestore keys import FILE), or unseal where it is.",
    )


def _not_sealed(what: str, said: Said) -> Error:
    if "INV_RECP" in said.status:
        return KeyringError(
            f"{what} can't be sealed, gpg refuses a recipient: {said.words}",
            hint="List the keys and their validity: gpg --homedir HOME/gnupg --list-keys.",
        )
    return ProgramFailedError(f"gpg did not seal {what} (exit code {said.code}): {said.words}")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
