"""The process that lays reports out: pages come in, PDFs go out, until its parent closes the pipe."""

from __future__ import annotations

import resource
import sys
from pathlib import Path
from typing import Final

from attestore.adapters import framing
from attestore.adapters.printer import WeasyPrinter
from attestore.errors import DiskError, PrintError

__all__: list[str] = []

_MOST: Final = 6 << 30
"""bytes of address space: a template that asks for more than any report needs ends here and not the machine"""


def _work(fonts: Path) -> None:
    out = sys.stdout.buffer
    printer: WeasyPrinter | None = None
    for job in framing.jobs(sys.stdin.buffer):
        try:
            printer = printer or WeasyPrinter(fonts.parent)
            pdf = b"" if isinstance(job, framing.Ready) else printer.print(job[0], attachments=job[1])
        except (PrintError, DiskError) as problem:
            out.write(framing.failed(problem))
        except MemoryError:
            out.write(
                framing.failed(
                    PrintError("the report could not be laid out in the memory that a process of ours may take")
                )
            )
        else:
            out.writelines(framing.made(pdf))
        out.flush()


if __name__ == "__main__":
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = _MOST if hard == resource.RLIM_INFINITY else min(_MOST, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    _work(Path(sys.argv[1]))
