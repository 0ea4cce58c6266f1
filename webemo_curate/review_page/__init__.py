"""The page on which a person decides: cases from stored scores, a server on loopback, the page."""
