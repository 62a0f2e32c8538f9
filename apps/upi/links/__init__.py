"""Payment links and QR payloads as text: `upi://` URIs, EMV codes, and the signature of a link."""
