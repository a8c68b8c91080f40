"""The one shape of every error."""


def error(status, code, message):
    """Return an error as a view returns it: the body in the agreed shape, and the status."""
    return {"error": {"code": code, "message": message, "fields": {}}}, status
