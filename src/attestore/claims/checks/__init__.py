"""One module per family of checks; each reads the document and writes into the book."""
