"""Put the image's recipe into the package, so that an installed `grade` can build its image without a checkout.

Everything else stands in pyproject.toml. This can't: setuptools takes a package's data from inside the package only,
and links in the tree would not survive a zip file or a Windows share.
"""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

RECIPE = ("Dockerfile", "requirements/box.txt")


class BuildWithRecipe(build_py):
    """Copies the recipe to `grader/sandbox/recipe/`, where `grader.sandbox.image` looks for it."""

    def run(self) -> None:
        """Build as usual, then add the recipe."""
        super().run()
        if self.editable_mode:
            return
        for name in RECIPE:
            target = Path(self.build_lib, "grader", "sandbox", "recipe", name)
            self.mkpath(str(target.parent))
            self.copy_file(name, str(target), preserve_mode=False)

    def get_source_files(self) -> list[str]:
        """Name the recipe too, so that a source distribution carries it."""
        return [*super().get_source_files(), *RECIPE]


setup(cmdclass={"build_py": BuildWithRecipe})
