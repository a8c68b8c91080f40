"""Grade hands-on backend exercises in two boxes that share nothing but a loopback network."""

__version__ = "0.1.0"
