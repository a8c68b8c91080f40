"""The one shape of every error."""


def error(status, code, message, fields=None):
    """Return an error as a view returns it: the body in the agreed shape, and the status."""
    return {"error": {"code": code, "message": message, "fields": fields or {}}}, status
