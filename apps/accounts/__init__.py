"""The issuer: bank accounts, UPI PIN, balance, core banking."""
