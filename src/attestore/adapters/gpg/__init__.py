"""Keys, seals and signatures by GnuPG, in a keyring of our own."""

from attestore.adapters.gpg.keyring import Key, Keyring, Subkey
from attestore.adapters.gpg.sealer import GpgSealer
from attestore.adapters.gpg.signer import GpgSigner
from attestore.adapters.gpg.verifier import GpgVerifier

__all__ = ["GpgSealer", "GpgSigner", "GpgVerifier", "Key", "Keyring", "Subkey"]
