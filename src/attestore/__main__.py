"""`python -m attestore` and the `attestore` programme."""

from attestore.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
