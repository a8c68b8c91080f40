"""The image of the boxes: what its name stands for, when it is built, what a failed build tells, what it holds."""

from __future__ import annotations

import io
import re
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from docker.errors import APIError, ImageNotFound

from grader.error import SandboxError
from grader.sandbox.choose import Choice
from grader.sandbox.image import ensure_image, read_recipe
from tests.conftest import ROOT

INSIDE = Path(__file__).parents[2] / "grader" / "inside"
VARIABLES = ("GRADE_BASE_IMAGE", "GRADE_WHEELS", "GRADE_CA_BUNDLE", "GRADE_BUILD_NETWORK")
PASSED_ON = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "HTTPS_PROXY")

WELL = ["Step 1/2 : FROM ${BASE}\n", " ---> 57e40740144f\n", "Step 2/2 : RUN echo\n", "Successfully built\n"]


class Engine:
    """As much of an engine's API as building an image takes. A build goes as the next of `courses` says."""

    def __init__(self, *courses: Sequence[str]) -> None:
        self.courses = list(courses)
        self.builds: list[dict[str, Any]] = []
        self.contexts: list[bytes] = []
        self.present: list[dict[str, Any]] = []
        self.removed: list[str] = []
        self.used: set[str] = set()

    def add(self, identity: str, *, labels: Mapping[str, str], age_s: float = 0, tag: str = "") -> None:
        """Let the engine have an image."""
        self.present.append({"Id": identity, "Labels": labels, "Created": time.time() - age_s, "tag": tag})

    def inspect_image(self, tag: str) -> Mapping[str, Any]:
        """Find an image by its name."""
        for image in self.present:
            if image["tag"] == tag:
                return image
        raise ImageNotFound("no such image")

    def build(self, **options: Any) -> Iterator[Mapping[str, Any]]:
        """Build, or fail where the course ends with an error."""
        self.builds.append(options)
        self.contexts.append(options["fileobj"].read())
        for line in self.courses.pop(0):
            if line.startswith("error: "):
                yield {"error": line.removeprefix("error: ")}
                return
            yield {"stream": line}
        self.add(f"sha256:{'f' * 64}", labels=options["labels"], tag=options["tag"])

    def images(self, *, filters: Mapping[str, Any]) -> list[dict[str, Any]]:
        """List the images that have a label."""
        return [image for image in self.present if filters["label"].partition("=")[0] in image["Labels"]]

    def remove_image(self, identity: str) -> None:
        """Remove an image that no container uses."""
        if identity in self.used:
            raise APIError("conflict: image is being used")
        self.removed.append(identity)


@pytest.fixture(autouse=True)
def plain(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that this machine needs to reach a registry shows in these tests, but in the one with a real engine."""
    if "choose_named" not in request.fixturenames:
        for name in (*VARIABLES, *PASSED_ON):
            monkeypatch.delenv(name, raising=False)


@pytest.fixture
def build(home: Path) -> Callable[[Engine], list[str]]:
    """Ask a course of its own for the image, so that no other build is waited for; gives what was said."""

    def ask(engine: Engine) -> list[str]:
        said: list[str] = []
        recipe = read_recipe(home)
        assert ensure_image(engine, say=said.append, recipe=recipe) == recipe.tag
        return said

    return ask


Build = Callable[[Engine], list[str]]


def names(context: bytes) -> list[str]:
    """List a build context."""
    with tarfile.open(fileobj=io.BytesIO(context)) as archive:
        return archive.getnames()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A course's own copy of the recipe, to change."""
    for name in ("Dockerfile", "requirements/box.txt"):
        target = tmp_path / name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes((INSIDE.parents[1] / name).read_bytes())
    return tmp_path


def test_the_name_is_short_and_stays_while_nothing_changes(home: Path) -> None:
    """Two clones of the same course share an image."""
    tag = read_recipe().tag
    assert tag == read_recipe(home).tag
    repository, _, digest = tag.partition(":")
    assert repository == "kata-grader"
    assert len(digest) == 12
    assert int(digest, 16)


@pytest.mark.parametrize("name", ["Dockerfile", "requirements/box.txt"])
def test_the_name_changes_with_the_recipe(home: Path, name: str) -> None:
    """A line that was added is an image that is built."""
    before = read_recipe(home).tag
    with (home / name).open("a") as file:
        file.write("# another line\n")
    assert read_recipe(home).tag != before


def test_the_name_changes_with_the_base(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another base is another image; without one named, the Dockerfile's own is it."""
    recipe = read_recipe()
    assert recipe.base.startswith("python:3.")
    monkeypatch.setenv("GRADE_BASE_IMAGE", "another:base")
    assert read_recipe().base == "another:base"
    assert read_recipe().tag != recipe.tag


def test_the_name_stands_for_every_file_that_enters_a_box() -> None:
    """No module of `grader/inside` can change without the image being built anew."""
    entering = {f"grader/inside/{path.relative_to(INSIDE)}" for path in INSIDE.rglob("*.py")}
    assert "grader/inside/keeper.py" in entering
    assert entering | {"Dockerfile", "requirements/box.txt"} == set(read_recipe().files)


def test_an_image_that_is_there_is_not_built(build: Build) -> None:
    """The usual case says nothing and starts nothing."""
    engine = Engine()
    engine.add("sha256:1", labels={}, tag=read_recipe().tag)
    assert build(engine) == []
    assert not engine.builds


def test_a_build_is_visible_step_by_step(build: Build) -> None:
    """The first use takes a minute, so it tells what it does."""
    engine = Engine(WELL)
    assert build(engine) == [
        f"building the image {read_recipe().tag} on {read_recipe().base} (the first time takes a minute or two)",
        "image: step 1 of 2: FROM ${BASE}",
        "image: step 2 of 2: RUN echo",
    ]


def test_the_same_recipe_is_the_same_context(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that depend on the hour would defeat the engine's cache."""
    first, second = Engine(WELL), Engine(WELL)
    build(first)
    monkeypatch.setattr(time, "time", lambda: 2e9)
    build(second)
    assert first.contexts == second.contexts
    assert sorted(read_recipe().files) == names(first.contexts[0])


def test_nothing_is_passed_to_a_build_that_was_not_asked_for(build: Build) -> None:
    """No variable of the user's enters an image by chance."""
    engine = Engine(WELL)
    build(engine)
    assert engine.builds[0]["buildargs"] == {"BASE": read_recipe().base}
    assert engine.builds[0]["network_mode"] is None


def test_a_companys_registry_proxy_and_certificates_reach_the_build(
    build: Build, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What makes pip work on the host makes it work in the build."""
    (tmp_path / "ca.pem").write_text("certificates")
    monkeypatch.setenv("PIP_INDEX_URL", "http://registry.test/simple")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("GRADE_BUILD_NETWORK", "host")
    engine = Engine(WELL)
    build(engine)
    arguments = engine.builds[0]["buildargs"]
    assert arguments["PIP_INDEX_URL"] == "http://registry.test/simple"
    assert arguments["HTTPS_PROXY"] == "http://proxy.test:3128"
    assert engine.builds[0]["network_mode"] == "host"
    assert "requirements/ca-bundle.pem" in names(engine.contexts[0])


def test_certificates_that_are_named_but_absent_are_said(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip in the path is told before anything is built."""
    monkeypatch.setenv("GRADE_CA_BUNDLE", "/no/such/ca.pem")
    with pytest.raises(SandboxError, match="GRADE_CA_BUNDLE names `/no/such/ca"):
        build(Engine())


def locked() -> set[str]:
    """Name the packages that the boxes hold."""
    lines = read_recipe().files["requirements/box.txt"].decode().splitlines()
    return {line.partition("==")[0] for line in lines if "==" in line and "win32" not in line}


def test_wheels_of_a_folder_go_into_the_build_and_no_others(
    build: Build, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An air-gapped room fills a folder once; what else lies in it stays out."""
    for name in locked():
        (tmp_path / f"{name.replace('-', '_').title()}-1.0-py3-none-any.whl").touch()
    (tmp_path / "other-1.0-py3-none-any.whl").touch()
    monkeypatch.setenv("GRADE_WHEELS", str(tmp_path))
    engine = Engine(WELL)
    build(engine)
    wheels = [name for name in names(engine.contexts[0]) if name.endswith(".whl")]
    assert len(wheels) == len(locked())
    assert all(name.startswith("requirements/wheels/") for name in wheels)
    assert not any("other" in name for name in wheels)


def test_a_folder_that_lacks_wheels_is_told_before_the_build(
    build: Build, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """All that is missing at once, and the command that fills the folder."""
    monkeypatch.setenv("GRADE_WHEELS", str(tmp_path))
    engine = Engine()
    with pytest.raises(SandboxError, match="has no wheel of") as failure:
        build(engine)
    assert all(name in failure.value.message for name in locked())
    assert "pip download" in failure.value.hint
    assert not engine.builds


RUN = "Step 2/2 : RUN pip install\n"
UNREACHED = "WARNING: NewConnectionError: Temporary failure in name resolution\n"
FAILED = "error: the command returned a non-zero code: 1"


@pytest.mark.parametrize(
    ("course", "says", "hint"),
    [
        (
            ["Step 1/2 : FROM ${BASE}\n", "error: pull access denied"],
            "can't be had: pull access denied",
            "GRADE_BASE_IMAGE",
        ),
        ([RUN, "CERTIFICATE_VERIFY_FAILED\n", FAILED], "CERTIFICATE_VERIFY_FAILED", "GRADE_CA_BUNDLE"),
        ([RUN, "No matching distribution found\n", FAILED], "No matching distribution", "GRADE_WHEELS"),
        ([RUN, "THESE PACKAGES DO NOT MATCH THE HASHES\n", FAILED], "MATCH THE HASHES", "PIP_INDEX_URL"),
        ([RUN, "sh: python3: not found\n", FAILED], "failed at `RUN pip install`", "Python 3.11 or newer"),
    ],
)
def test_a_failed_build_tells_its_last_lines_and_the_way_out(
    build: Build, course: list[str], says: str, hint: str
) -> None:
    """What went wrong in the engine's own words, what to do in ours."""
    with pytest.raises(SandboxError) as failure:
        build(Engine(course))
    assert says in failure.value.message
    assert hint in failure.value.hint


def test_a_build_without_a_network_is_tried_again_in_the_hosts(build: Build) -> None:
    """Some engines' own network resolves no name, where the host's does."""
    engine = Engine([RUN, UNREACHED, FAILED], WELL)
    said = build(engine)
    assert [build["network_mode"] for build in engine.builds] == [None, "host"]
    assert "image: no registry reached from the engine's own network; trying again in the host's" in said


def test_a_network_that_was_named_is_the_only_one_tried(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who names a network has a reason."""
    monkeypatch.setenv("GRADE_BUILD_NETWORK", "default")
    with pytest.raises(SandboxError) as failure:
        build(Engine([RUN, UNREACHED, FAILED]))
    assert "GRADE_WHEELS" in failure.value.hint


def test_only_this_courses_superseded_images_are_removed(build: Build) -> None:
    """Disks don't fill up, another course on the machine keeps its image, and one in use stays."""
    engine = Engine(WELL, WELL)
    build(engine)
    own = engine.builds[0]["labels"]
    engine.present.clear()
    engine.add("superseded", labels=own, age_s=7200, tag="kata-grader:1")
    engine.add("used", labels=own, age_s=7200, tag="kata-grader:2")
    engine.add("just now", labels=own, age_s=60, tag="kata-grader:3")
    engine.add("another course's", labels={**own, "kata-grader.source": "another"}, age_s=7200)
    engine.add("long ago", labels={**own, "kata-grader.source": "another"}, age_s=90 * 24 * 3600)
    engine.add("a stage just now", labels={"kata-grader.stage": "build"}, age_s=60)
    engine.add("a stage of old", labels={"kata-grader.stage": "build"}, age_s=7200)
    engine.add(f"sha256:57e40740144f{'0' * 52}", labels={"kata-grader.stage": "build"}, age_s=7200)
    engine.used.add("used")
    build(engine)
    assert engine.removed == ["superseded", "long ago", "a stage of old"]


@pytest.mark.docker
def test_a_built_image_holds_what_a_box_needs_and_nothing_of_the_build(choose_named: Callable[[str], Choice]) -> None:
    """An unprivileged user, the packages with their bytecode, our code; no pip, no certificates, no lock."""
    import docker

    choose_named("docker")
    with closing(docker.from_env(version="auto")) as client:
        recipe = read_recipe()
        image = ensure_image(client, say=print, recipe=recipe)
        assert ensure_image(client, say=pytest.fail, recipe=recipe) == image
        look = (
            "import glob, os, sys; sys.path.insert(0, '/opt/box');"
            "import flask, inside, json, jwt, pytest, sqlalchemy, waitress;"
            "print(os.getuid(), os.getgid(), bool(flask.__cached__ and os.path.exists(flask.__cached__)),"
            " bool(inside.__cached__ and os.path.exists(inside.__cached__)), os.path.exists(json.__cached__),"
            " os.path.exists('/build'), glob.glob('/opt/grade/lib/*/site-packages/pip'), os.access('/opt', os.W_OK))"
        )
        options = {"network_mode": "none", "read_only": True, "remove": True}
        said = client.containers.run(image, ["/opt/grade/bin/python", "-I", "-B", "-c", look], **options)
    assert said.decode().strip() == "65532 65532 True True True False [] False"


def test_who_grades_without_an_image_has_what_is_in_it() -> None:
    """A box that borrows the grader's own Python can import the same packages, of the same versions."""
    names = ("requirements/box.txt", "requirements/grader.txt")
    box, grader = ({line for line in (ROOT / name).read_text().splitlines() if re.match(r"\w", line)} for name in names)
    assert box - grader == set()
