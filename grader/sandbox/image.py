"""The image that boxes run from: built from the one `Dockerfile` on first use, named by the digest of what is in it.

Environment:
    GRADE_BASE_IMAGE     the image to build on, instead of the Dockerfile's own
    GRADE_WHEELS         a folder of wheels to install from, where no registry can be reached
    GRADE_CA_BUNDLE      certificates to trust during the build; default: what PIP_CERT or SSL_CERT_FILE names
    GRADE_BUILD_NETWORK  the network to build in (`host`, for example); default: the engine's own, then the host's
    PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, PIP_TRUSTED_HOST, HTTPS_PROXY and its kin reach the build when set
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.error import SandboxError
from grader.sandbox.recipe_folder import recipe_folder
from grader.sandbox.runtime_folder import unmark

if TYPE_CHECKING:
    from docker import APIClient, DockerClient

Say = Callable[[str], None]

REPOSITORY = "kata-grader"
_IMAGE_LABEL = "kata-grader.image"
_SOURCE_LABEL = "kata-grader.source"
_STAGE_LABEL = "kata-grader.stage"

_BUILD_S = 1800
_SILENCE_S = 600
_SETTLED_S = 3600
_FORGOTTEN_S = 30 * 24 * 3600

_PIP_ARGUMENTS = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST")
_PROXY_ARGUMENTS = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
_CA_VARIABLES = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What decides the image: the name of its base, and the files of the build by their path in it."""

    base: str
    files: Mapping[str, bytes]
    home: Path

    @cached_property
    def tag(self) -> str:
        """The image's name, which changes with anything that is in it."""
        digest = hashlib.sha256(f"{self.base}\n".encode())
        for name in sorted(self.files):
            digest.update(f"{name}\n{len(self.files[name])}\n".encode())
            digest.update(self.files[name])
        return f"{REPOSITORY}:{digest.hexdigest()[:12]}"


def read_recipe(home: Path | None = None) -> Recipe:
    """Read what the image is made from. `home` holds the Dockerfile; `None`: the installed one, or the checkout's.

    Raises:
        SandboxError: a part of it is missing.
    """
    home = home or recipe_folder()
    inside = Path(__file__).parents[1] / "inside"
    try:
        files = {name: (home / name).read_bytes() for name in ("Dockerfile", "requirements/box.txt")}
        for path in sorted(inside.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                files[f"grader/inside/{path.relative_to(inside).as_posix()}"] = path.read_bytes()
    except OSError as error:
        raise SandboxError(
            f"the image can't be built: `{error.filename}` can't be read: {error.strerror}",
            hint="install the grader again, or run it from a clone of the course",
        ) from error
    own = re.search(rb"^ARG BASE=(\S+)", files["Dockerfile"], re.MULTILINE)
    base = os.environ.get("GRADE_BASE_IMAGE") or (own[1].decode() if own else "")
    return Recipe(base=base, files=files, home=home)


def ensure_image(client: DockerClient | APIClient, *, say: Say, recipe: Recipe | None = None) -> str:
    """Give the image's tag, and build it first where the engine hasn't got it. `say` gets a line for each step.

    `recipe`: what to build; `None`: what `read_recipe` gives.

    Raises:
        SandboxError: the image can't be built.
    """
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    api = getattr(client, "api", client)
    recipe = recipe or read_recipe()
    try:
        if _exists(api, recipe.tag):
            return recipe.tag
        with _alone(recipe.home, say):
            if not _exists(api, recipe.tag):
                _build(api, recipe, say)
                unmark(failure_mark(recipe))
    except (DockerException, RequestException) as error:
        raise SandboxError(f"the container engine failed while the image was built: {error}") from error
    return recipe.tag


def failure_mark(recipe: Recipe) -> str:
    """Name the mark of an image that could not be built, for `runtime_folder`."""
    return f"no-image-{recipe.tag.partition(':')[2]}"


def _exists(api: APIClient, tag: str) -> bool:
    from docker.errors import ImageNotFound

    try:
        api.inspect_image(tag)
    except ImageNotFound:
        return False
    return True


@contextmanager
def _alone(home: Path, say: Say) -> Iterator[None]:
    """Keep other builds of this course waiting: the first one serves them all. Only a saving; two would do no harm."""
    with (home / "Dockerfile").open("rb") as lock:
        until = time.monotonic() + _BUILD_S
        told = False
        while time.monotonic() < until:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    say("waiting for another run that builds the image")
                    told = True
                time.sleep(0.1)
            except OSError:  # a file system without locks
                break
        yield


@dataclass(frozen=True, kw_only=True)
class _Ended:
    """How a build ended: `error` is empty if well, `step` is where, `images` all that it made or used on its way."""

    error: str
    step: str
    tail: tuple[str, ...]
    images: frozenset[str]


def _build(api: APIClient, recipe: Recipe, say: Say) -> None:
    context = _pack({**recipe.files, **_extra_files(recipe)})
    chosen = os.environ.get("GRADE_BUILD_NETWORK")
    say(f"building the image {recipe.tag} on {recipe.base} (the first time takes a minute or two)")
    ended = _attempt(api, recipe, context, chosen, say)
    if not chosen and ended.step.startswith("RUN") and _is_about_network(ended):
        say("image: no registry reached from the engine's own network; trying again in the host's")
        ended = _attempt(api, recipe, context, "host", say)
    if ended.error:
        raise _explained(recipe, ended)
    _remove_superseded(api, recipe, ended.images)


def _attempt(api: APIClient, recipe: Recipe, context: bytes, network: str | None, say: Say) -> _Ended:
    arguments = {name: os.environ[name] for name in (*_PIP_ARGUMENTS, *_PROXY_ARGUMENTS) if os.environ.get(name)}
    stream = api.build(
        fileobj=io.BytesIO(context),
        custom_context=True,
        tag=recipe.tag,
        buildargs={**arguments, "BASE": recipe.base},
        labels={_IMAGE_LABEL: recipe.tag.partition(":")[2], _SOURCE_LABEL: _source(recipe)},
        network_mode=network,
        rm=True,
        forcerm=True,
        decode=True,
        timeout=_SILENCE_S,
    )
    try:
        return _follow(stream, say)
    finally:
        stream.close()  # left early, say by Ctrl-C: the engine then ends the build as well


def _follow(stream: Iterator[Mapping[str, Any]], say: Say) -> _Ended:
    until = time.monotonic() + _BUILD_S
    step, error, pulled = "", "", False
    tail: list[str] = []
    images: set[str] = set()
    for event in stream:
        if "error" in event:
            error = str(event["error"]).strip()
        elif str(event.get("status", "")).startswith("Pulling") and not pulled:
            pulled = True
            say("image: pulling the base image")
        for line in re.sub(r"\x1b\[[\d;]*m", "", str(event.get("stream", ""))).splitlines():
            if found := re.match(r"step (\d+)/(\d+) ?: (.*)", line, re.IGNORECASE):
                step = found[3]
                tail.clear()
                if step.startswith(("FROM", "COPY", "RUN")):  # the others take no time
                    say(f"image: step {found[1]} of {found[2]}: {_shortened(step, 60)}")
            elif line.startswith(("Removing intermediate container", " ---> Running in")):
                continue
            elif found := re.match(r" ?--->? ([0-9a-f]{12})\b", line):
                images.add(found[1])
            elif line.strip():
                if tail and line.startswith("WARNING: Retrying") and tail[-1].startswith("WARNING: Retrying"):
                    tail.pop()
                tail.append(line.strip())
        if time.monotonic() > until:
            error = f"it took longer than {_BUILD_S // 60} minutes"
        if error:
            break
    return _Ended(error=error, step=step, tail=tuple(tail[-8:]), images=frozenset(images))


def _is_about_network(ended: _Ended) -> bool:
    text = " ".join(ended.tail)
    return "CERTIFICATE_VERIFY_FAILED" not in text and bool(
        re.search(r"name resolution|NewConnectionError|ConnectTimeout|Network is unreachable|Max retries", text)
    )


def _explained(recipe: Recipe, ended: _Ended) -> SandboxError:
    text = " ".join((*ended.tail, ended.error))
    if ended.step.upper().startswith("FROM") or "pull access denied" in ended.error:
        return SandboxError(
            f"the base image `{recipe.base}` can't be had: {ended.error}",
            hint="name one that this machine has or can pull: GRADE_BASE_IMAGE=... (Python 3.11 or newer, with venv)",
        )
    if "CERTIFICATE_VERIFY_FAILED" in text:
        hint = "name the certificates of your company's proxy: GRADE_CA_BUNDLE=/path/to/ca.pem"
    elif "DO NOT MATCH THE HASHES" in text:
        hint = "a package is not the one that was locked; take it from another registry: PIP_INDEX_URL=..."
    elif _is_about_network(ended) or "No matching distribution" in text:
        hint = "no registry has it or none was reached; take the packages from a folder: GRADE_WHEELS=/path/to/wheels"
    elif "ensurepip" in text or "python3: not found" in text:
        hint = f"`{recipe.base}` needs Python 3.11 or newer with venv; name another: GRADE_BASE_IMAGE=..."
    else:
        hint = ""
    error = re.sub(r"^The command '.*' returned a non-zero code: ", "it ended with code ", ended.error, flags=re.DOTALL)
    told = "\n".join(f"    {_shortened(line, 200)}" for line in (*ended.tail, error))
    where = f"; it failed at `{_shortened(ended.step, 60)}`" if ended.step else ""
    return SandboxError(f"the image could not be built{where}:\n{told}", hint=hint)


def _shortened(text: str, width: int) -> str:
    import textwrap

    return textwrap.shorten(text, width, placeholder=" ...")


def _extra_files(recipe: Recipe) -> dict[str, bytes]:
    """Read what only the first stage sees: wheels, certificates."""
    extra: dict[str, bytes] = {}
    certificates = os.environ.get("GRADE_CA_BUNDLE")
    if certificates and not os.path.isfile(certificates):
        raise SandboxError(f"GRADE_CA_BUNDLE names `{certificates}`, which is not a file")
    for place in (certificates, *(os.environ.get(name) for name in _CA_VARIABLES)):
        if place and os.path.isfile(place):
            extra["requirements/ca-bundle.pem"] = Path(place).read_bytes()
            break
    folder = os.environ.get("GRADE_WHEELS")
    if folder:
        lock = recipe.files["requirements/box.txt"].decode()
        wanted = {_normal(name) for name in re.findall(r"^([\w.-]+)==(?!.*win32)", lock, re.MULTILINE)}
        wheels = [path for path in sorted(Path(folder).glob("*.whl")) if _normal(path.name.partition("-")[0]) in wanted]
        missing = wanted - {_normal(path.name.partition("-")[0]) for path in wheels}
        if missing:
            raise SandboxError(
                f"GRADE_WHEELS names `{folder}`, which has no wheel of {', '.join(sorted(missing))}",
                hint=f"where there is a network: pip download --no-deps --require-hashes --only-binary=:all: "
                f"-r requirements/box.txt -d {folder}",
            )
        extra |= {f"requirements/wheels/{path.name}": path.read_bytes() for path in wheels}
    return extra


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _pack(files: Mapping[str, bytes]) -> bytes:
    """Pack the build's context. The same files give the same bytes, so that the engine's cache serves."""
    import tarfile  # which a grading with an image that is there has no use for

    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size = len(files[name])
            entry.mode = 0o644
            archive.addfile(entry, io.BytesIO(files[name]))
    return packed.getvalue()


def _source(recipe: Recipe) -> str:
    """Name the course that built an image: another course on this engine, say of another year, keeps its own."""
    return hashlib.sha256(os.fsencode(recipe.home.resolve())).hexdigest()[:12]


def _remove_superseded(api: APIClient, recipe: Recipe, in_use: frozenset[str]) -> None:
    """Remove this course's earlier images, anybody's of long ago, and first stages no build would take up again."""
    from docker.errors import APIError

    current = api.inspect_image(recipe.tag)["Id"]
    superseded = [
        image
        for image in api.images(filters={"label": _IMAGE_LABEL})
        if image["Id"] != current
        and (image["Labels"].get(_SOURCE_LABEL) == _source(recipe) or _age_s(image) > _FORGOTTEN_S)
    ]
    superseded += [
        image
        for image in api.images(filters={"label": _STAGE_LABEL, "dangling": True})
        if image["Id"].removeprefix("sha256:")[:12] not in in_use
    ]
    for image in superseded:
        # A newer one may be in the middle of its build, or be just about to be used.
        if _age_s(image) > _SETTLED_S:
            try:
                api.remove_image(image["Id"])
            except APIError:  # a container still uses it
                continue


def _age_s(image: Mapping[str, Any]) -> float:
    return time.time() - float(image["Created"])
