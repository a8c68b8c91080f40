"""The steps from each shape of the database to the next."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import grader
from grader.store import database, glance, inbox
from grader.store.history import open_history
from grader.store.inbox import keep
from grader.store.model import Base
from grader.store.summary import Summary

# What the first revision's program wrote, as `.dump` gave it. It never changes: such files are out in the world.
FIRST = Path(__file__).with_name("first-revision.sql")


def scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", "grader.store:migrations")
    return ScriptDirectory.from_config(config)


def make_first(state_dir: Path) -> None:
    state_dir.mkdir()
    with contextlib.closing(sqlite3.connect(state_dir / "history.db")) as connection:
        connection.executescript(FIRST.read_text(encoding="utf-8"))


def test_the_revision_that_is_looked_for_is_the_newest_one() -> None:
    """`REVISION` lets a history be opened without Alembic; it must be the last of one line of steps."""
    assert scripts().get_heads() == [glance.REVISION]
    assert len(scripts().get_bases()) == 1


def test_the_steps_lead_to_the_tables_of_the_model(state_dir: Path, url: str | None) -> None:
    """Alembic finds no difference between what the steps made and what the program expects."""
    open_history(state_dir, url).close()
    engine = sqlalchemy.create_engine(database.read_address(url or f"sqlite:///{state_dir}/history.db"))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_a_database_of_the_first_revision_opens_with_all_that_it_had(state_dir: Path) -> None:
    """Whatever has changed since: the reports, their numbers, their whole JSON."""
    make_first(state_dir)
    with open_history(state_dir) as history:
        assert history.notes == ()
        first, second = history.reports()
        assert (first.id, first.learner, str(first.points), first.seed) == ("old-1", "Zoë", "0.3", 2**70)
        assert (second.id, second.status, second.exercise) == ("old-2", "passed", "exercise-01-hello-kitchen")
        assert history.report("old-1").message == "3 of 10 tests 🍜"
    assert [summary.id for summary in glance.glance(state_dir).summaries] == ["old-1", "old-2"]


@pytest.fixture
def next_grader(tmp_path: Path) -> Path:
    """The grader as it may be after its next change of tables: a column, and every row gets a value."""
    folder = tmp_path / "next"
    shutil.copytree(Path(grader.__file__).parent, folder / "grader", ignore=shutil.ignore_patterns("__pycache__"))
    store = folder / "grader" / "store"
    (store / "migrations" / "versions" / "r9999_next.py").write_text(
        "import sqlalchemy as sa\n"
        "from alembic import op\n"
        f"revision, down_revision = '9999', '{glance.REVISION}'\n"
        "def upgrade():\n"
        # SQLite changes most things by making the table anew.
        "    recreate = 'always' if op.get_bind().dialect.name == 'sqlite' else 'auto'\n"
        "    with op.batch_alter_table('reports', recreate=recreate) as table:\n"
        "        table.add_column(sa.Column('mood', sa.String(20), nullable=False, server_default='calm'))\n"
    )
    path = store / "glance.py"
    path.write_text(path.read_text().replace(f'REVISION = "{glance.REVISION}"', 'REVISION = "9999"'))
    return folder


def test_a_later_grader_leads_our_database_on_and_we_then_leave_it_alone(
    state_dir: Path, url: str | None, make_report, next_grader: Path
) -> None:
    """A step runs by itself, on full tables, from the first revision too; and this program then asks for an update."""
    if url is None:
        make_first(state_dir)
    kept = keep(make_report(), state_dir)
    with open_history(state_dir, url) as history:
        before = history.reports()
    code = """
import sys
from pathlib import Path
from sqlalchemy import text
import grader
from grader.store.history import open_history

assert Path(grader.__file__).is_relative_to(sys.argv[1]), grader.__file__
with open_history(Path(sys.argv[2]), sys.argv[3]) as history:
    assert not history.notes, history.notes
    with history._engine.connect() as connection:
        assert set(connection.execute(text("SELECT mood FROM reports")).scalars()) == {"calm"}
    print(*[history.report(summary.id).id for summary in history.reports()])
"""
    command = [sys.executable, "-c", code, str(next_grader), str(state_dir), url or ""]
    run = subprocess.run(command, cwd=next_grader, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == [summary.id for summary in before]
    with pytest.raises(Exception, match="newer grader"):
        open_history(state_dir, url)
    assert inbox.report_files(state_dir)[0].name == kept.path.name


def test_a_step_that_fails_leaves_the_database_as_it_was(
    state_dir: Path, url: str | None, make_report, next_grader: Path
) -> None:
    """The transaction is given up whole; the older program goes on with it."""
    report = make_report()
    keep(report, state_dir)
    open_history(state_dir, url).close()
    step = next_grader / "grader" / "store" / "migrations" / "versions" / "r9999_next.py"
    step.write_text(step.read_text() + "    raise SystemExit('the power went')\n")
    code = "import sys; from pathlib import Path; from grader.store.history import open_history\n"
    code += "open_history(Path(sys.argv[1]), sys.argv[2])"
    command = [sys.executable, "-c", code, str(state_dir), url or ""]
    run = subprocess.run(command, cwd=next_grader, capture_output=True, text=True, check=False)
    assert "the power went" in run.stderr
    with open_history(state_dir, url) as history:
        assert history.report(report.id) == report
        assert history.notes == ()


def test_a_list_needs_the_columns_that_the_tables_have() -> None:
    """The fast way reads them by name, so names and order can't drift apart."""
    assert [column.name for column in Base.metadata.tables["reports"].columns] == [*_summary_columns()]


def _summary_columns() -> list[str]:
    return sorted(Summary.__struct_fields__, key=list(Base.metadata.tables["reports"].columns.keys()).index)
