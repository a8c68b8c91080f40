"""A headless browser with an accessibility checker inside the page, for the machines that have both."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.conftest import need

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
# Where `axe.min.js` of the npm package axe-core lies.
AXE = os.environ.get("AXE_CORE", "")

_CHECK = """
document.querySelectorAll("details").forEach(each => { each.open = true });
axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then(found => {
  const wrong = found.violations.map(each => [each.id, each.help, each.nodes.slice(0, 3).map(node => node.html)]);
  const told = document.createElement("p");
  told.id = "axe";
  told.textContent = JSON.stringify({
    wrong, rules: found.passes.length, dark: matchMedia("(prefers-color-scheme: dark)").matches,
  });
  document.body.replaceChildren(told);
});
"""


def need_axe() -> None:
    """Skip the test where there is no browser or no axe-core, or fail it where they are required."""
    need("axe", None if CHROMIUM and AXE else "Chromium isn't installed, or AXE_CORE doesn't name `axe.min.js`")


def accessibility_of(page: bytes, folder: Path, *, is_dark: bool) -> dict[str, Any]:
    """Give what axe-core finds wrong on a page, with all details open. See `need_axe`."""
    need_axe()
    # The page forbids scripts, so the rule that does is taken out of this copy.
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.decode())
    script = Path(AXE).read_text().replace("</script", "<\\/script")
    file = folder / "page.html"
    file.write_text(text.replace("</body>", f"<script>{script}</script><script>{_CHECK}</script></body>"))
    done = subprocess.run(
        [
            CHROMIUM,
            *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"),
            f"--user-data-dir={folder / 'profile'}",
            f"--blink-settings=preferredColorScheme={0 if is_dark else 1}",
            "--virtual-time-budget=20000",
            "--dump-dom",
            file.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found = re.search(r'<p id="axe">(.*?)</p>', done.stdout, re.DOTALL)
    assert found, done.stdout[-2000:] + done.stderr[-2000:]
    result: dict[str, Any] = json.loads(html.unescape(found.group(1)))
    return result
