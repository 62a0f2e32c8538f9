"""Double-entry books: accounts and the transfers between them."""
