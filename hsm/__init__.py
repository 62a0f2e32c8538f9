"""Keys that never leave the token: signatures, MACs and PIN verification over PKCS#11."""
