"""The PSP's app users: device binding, sessions, linked accounts."""
