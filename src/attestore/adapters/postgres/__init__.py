"""PostgreSQL behind the ports: the server under care, the isolated server, and the programmes between them."""
