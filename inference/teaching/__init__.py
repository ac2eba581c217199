"""A server's own labels: fitted on fingerprints that somebody taught, and named by them."""
