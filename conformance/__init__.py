"""Cases that a bank on UPI must pass, played from outside against the running platform."""
