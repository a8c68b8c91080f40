"""The engine's own name of the image that boxes run from: the digest of all that is in it."""

from __future__ import annotations

from grader.error import SandboxError
from grader.sandbox.engine import connect
from grader.sandbox.image import read_recipe


def engine_image_id() -> str:
    """Give the engine's name of the image, as in `docker image inspect`.

    Raises:
        SandboxError: the engine can't tell.
    """
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    try:
        with connect() as api:
            return str(api.inspect_image(read_recipe().tag)["Id"])
    except (DockerException, RequestException) as error:
        raise SandboxError(f"the container engine can't name the image that graded: {error}") from error
