"""The HTTP door: small routers by noun; it starts without torch."""
