"""Arguments in, exit code out, words and progress on a terminal."""

from attestore.cli.app import main

__all__ = ["main"]
