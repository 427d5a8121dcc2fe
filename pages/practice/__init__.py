"""Practice: the record, the decks."""
