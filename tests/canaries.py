"""Secrets that must appear nowhere, the forms in which they could, and an eye on every process of the machine."""

from __future__ import annotations

import base64
import contextlib
import io
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pikepdf

__all__ = ["Seen", "forms", "leaks", "unpacked", "watching_processes"]


def forms(secret: bytes) -> Mapping[str, bytes]:
    """The secret as it could have been written down: raw, hex, base64 in its three phases, URL, UTF-16, backwards."""
    shown = {
        "raw": secret,
        "backwards": secret[::-1],
        "hex": secret.hex().encode(),
        "HEX": secret.hex().upper().encode(),
    }
    for phase in range(3):
        # only those characters that no neighbour decides
        whole = base64.b64encode(bytes(phase) + secret).rstrip(b"=")
        shown[f"base64+{phase}"] = whole[-(-phase * 4 // 3) : -1]
        shown[f"base64url+{phase}"] = shown[f"base64+{phase}"].translate(bytes.maketrans(b"+/", b"-_"))
    with contextlib.suppress(UnicodeDecodeError):
        text = secret.decode()
        shown |= {
            "url": quote(text, safe="").encode(),
            "utf-16le": text.encode("utf-16-le"),
            "utf-16be": text.encode("utf-16-be"),
        }
        shown["every byte %"] = "".join(f"%{octet:02X}" for octet in secret).encode()
    return shown


def leaks(secrets: Mapping[str, bytes], outputs: Mapping[str, bytes]) -> list[str]:
    """Which secret stands in which output, and how."""
    return [
        f"{name} ({form}) in {where}"
        for name, secret in secrets.items()
        for form, written in forms(secret).items()
        for where, data in outputs.items()
        if written in data
    ]


def unpacked(name: str, data: bytes) -> dict[str, bytes]:
    """A file, and for a PDF every stream and string of it, decompressed."""
    found = {name: data}
    if name.endswith(".pdf"):
        with pikepdf.open(io.BytesIO(data)) as document:
            for number, item in enumerate(document.objects):
                if isinstance(item, pikepdf.Stream):
                    with contextlib.suppress(pikepdf.PdfError):  # an image in a codec of its own
                        found[f"{name} stream {number}"] = item.read_bytes()
                else:
                    found[f"{name} object {number}"] = item.unparse(resolved=True)
    return found


@dataclass
class Seen:
    """Arguments and environments of processes, by process id."""

    arguments: dict[int, set[bytes]] = field(default_factory=dict)
    environments: dict[int, set[bytes]] = field(default_factory=dict)

    def look(self) -> None:
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                for kind, kept in (("cmdline", self.arguments), ("environ", self.environments)):
                    with contextlib.suppress(OSError):
                        data = (entry / kind).read_bytes()
                        if data:
                            kept.setdefault(int(entry.name), set()).add(data)

    def named(self, programme: str) -> int:
        """How many processes of that name were seen."""
        words = [
            data.split(b"\0")[0].rsplit(b"/", 1)[-1].split(b":")[0] for each in self.arguments.values() for data in each
        ]
        return words.count(programme.encode())

    def outputs(self, *, without: bytes) -> dict[str, bytes]:
        """What could be read there, without the environment that we gave to the process whose arguments hold `without`."""
        ours = {pid for pid, each in self.arguments.items() if any(without in data for data in each)}
        return {
            f"{kind} of {pid}": b"\n".join(sorted(each))
            for kind, kept in (("arguments", self.arguments), ("environment", self.environments))
            for pid, each in kept.items()
            if kind == "arguments" or pid not in ours
        }


@contextlib.contextmanager
def watching_processes() -> Iterator[Seen]:
    """Look at every process of the machine again and again, until the block ends."""
    seen, over = Seen(), threading.Event()

    def work() -> None:
        while not over.is_set():
            seen.look()
            time.sleep(0.03)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()
