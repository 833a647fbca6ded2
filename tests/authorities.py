"""A time-stamping authority on this machine: the real openssl behind a loopback HTTP server."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

__all__ = ["Local", "authority"]

_SETTINGS = """
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[stamping]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""


@dataclass(frozen=True)
class Local:
    """Where it answers, and the certificate of its root."""

    url: str
    root: Path


@contextmanager
def authority(folder: Path) -> Iterator[Local]:
    """An authority that stamps whatever it is asked, below a folder of its own; /refuse gives no stamp."""
    folder.mkdir()
    settings = folder / "openssl.cnf"
    settings.write_text(_SETTINGS.format(folder=folder))
    (folder / "serial").write_text("01\n")

    def openssl(*words: str | Path, stdin: bytes = b"") -> bytes:
        done = subprocess.run(["openssl", *words], input=stdin, capture_output=True, check=False, cwd=folder)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    key = ("-newkey", "rsa:2048", "-nodes", "-config", settings)
    openssl(
        "req",
        "-x509",
        *key,
        "-keyout",
        "root.key",
        "-out",
        "root.pem",
        "-subj",
        "/CN=Root",
        "-days",
        "2",
        "-extensions",
        "root",
    )
    openssl("req", *key, "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=Clock of the test")
    ca = ("-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial")
    extensions = ("-extfile", settings, "-extensions", "stamping")
    openssl("x509", "-req", "-in", "tsa.csr", *ca, "-days", "2", "-out", "tsa.pem", *extensions)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = folder / "query.tsq"
            query.write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            answer = (
                b"no"
                if self.path == "/refuse"
                else openssl("ts", "-reply", "-queryfile", query, "-config", settings, "-section", "here")
            )
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:  # type: ignore[explicit-override]
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield Local(f"http://127.0.0.1:{server.server_port}/", folder / "root.pem")
        finally:
            server.shutdown()
            thread.join()
