"""Keys, seals and signatures by GnuPG, in a keyring of our own."""
