"""The UPI wire: messages, signatures, exchanges, directory."""
