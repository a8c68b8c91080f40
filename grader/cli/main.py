"""The command `grade`: sub-commands, loaded when they are used, and the one place where errors become exit codes."""

from __future__ import annotations

import importlib
import os
import re
import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import click

from grader import __version__
from grader.error import BrokenExercise, GraderError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Lazy(NamedTuple):
    """A command that is imported when it is used: its module, its function there, and one line for the overview."""

    module: str
    function: str
    about: str


GRADE = "exercise"
"""The command that `grade EXERCISE` stands for."""

_OWN_OPTIONS = ("--help", "--version", "--course", "-h")

COMMANDS: dict[str, Lazy] = {
    GRADE: Lazy("grader.cli.grade", "grade_exercise", "Grade an exercise; `grade NAME` is short for it."),
    "overview": Lazy("grader.cli.overview", "overview", "Show where you are; `grade` alone is short for it."),
    "next": Lazy("grader.cli.overview", "next_exercise", "Name the exercise to go on with."),
    "list": Lazy("grader.cli.overview", "list_exercises", "List the exercises with your points."),
    "show": Lazy("grader.cli.learn", "show", "Show what an exercise wants."),
    "hint": Lazy("grader.cli.learn", "hint", "Give a hint, one level more each time."),
    "reveal": Lazy("grader.cli.learn", "reveal", "Show the reference and other ways, once you have passed."),
    "reset": Lazy("grader.cli.learn", "reset", "Start an exercise again; your code is kept."),
    "redo": Lazy("grader.cli.learn", "redo", "Do an exercise once more, with other data."),
    "history": Lazy("grader.cli.history", "history", "Show your results over time; export and import them."),
    "batch": Lazy("grader.cli.batch", "batch", "Grade a class."),
    "ci": Lazy("grader.cli.ci", "ci", "Grade what a change touches, in CI."),
    "check-receipt": Lazy("grader.cli.trust", "check_receipt", "Say whether a signed report is as it was signed."),
    "replay": Lazy("grader.cli.trust", "replay", "Grade again as a report says, and compare."),
    "verify": Lazy("grader.cli.author", "verify_exercises", "Prove that exercises are sound."),
    "new": Lazy("grader.cli.author", "new", "Begin an exercise."),
    "release": Lazy("grader.cli.author", "release_pack", "Write the learners' pack: nothing hidden in it."),
    "preview-regrade": Lazy("grader.cli.author", "preview_regrade", "Say which scores edited tests would change."),
    "watch": Lazy("grader.cli.watch", "watch", "Grade on every save."),
    "doctor": Lazy("grader.cli.doctor", "doctor", "Show which sandboxes work here, and prove their limits."),
    "completion": Lazy("grader.cli.completion", "completion", "Print what makes bash, zsh or fish complete names."),
}


class Commands(click.Group):
    """A group that imports a command when it is called, and takes an exercise's name in place of a command's."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = COMMANDS.get(cmd_name)
        if found is None:
            return None
        command = getattr(importlib.import_module(found.module), found.function)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            args = [GRADE, *args]
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # An option before the name, such as `grade --seed 1 exercise-03`, belongs to grading.
        if args and args[0].startswith("-") and args[0].partition("=")[0] not in _OWN_OPTIONS:
            args = [GRADE, *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        # From the table, for Click's own way imports every command.
        from click.shell_completion import CompletionItem

        from grader.cli.common import complete_exercise

        names = [
            CompletionItem(name, help=each.about) for name, each in COMMANDS.items() if name.startswith(incomplete)
        ]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*names, *options, *complete_exercise(ctx, None, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # The one-line texts stand in the table, so that an overview imports no command.
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.about) for name, command in COMMANDS.items()])


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    invoke_without_command=True,
    no_args_is_help=False,
    options_metavar="[OPTIONS]",
    subcommand_metavar="EXERCISE | COMMAND [ARGS]...",
)
@click.version_option(__version__, prog_name="grade")
@click.option("--course", metavar="FOLDER", envvar="GRADE_COURSE", help="The course; default: found upwards from here.")
@click.pass_context
def cli(ctx: click.Context, course: str | None) -> None:
    """Grade hands-on backend exercises.

    `grade exercise-03` (or `grade 3`, or `grade one-dish`) runs your solution in a sandbox of its own, sends it
    requests from another one, and shows what was sent, what was expected and what came back.

    `grade` alone shows where you are in the course.
    """
    ctx.ensure_object(dict)
    ctx.obj["course"] = course
    if ctx.invoked_subcommand is None:
        if "overview" in COMMANDS:
            command = cli.get_command(ctx, "overview")
            assert command is not None
            ctx.invoke(command)
        else:
            click.echo(ctx.get_help())


def run() -> int:
    """Run the command line; give the exit code."""
    _watch_signals()
    stdout = sys.stdout
    try:
        result: Any = cli.main(standalone_mode=False, prog_name="grade")
    except click.exceptions.NoSuchOption as error:
        return _usage(error)
    except click.ClickException as error:
        return _usage(error)
    except click.Abort:
        return _interrupted()
    except KeyboardInterrupt:
        return _interrupted()
    except GraderError as error:
        tell(error)
        return error.exit_code
    except SystemExit:
        if sys.stdout is stdout:
            raise
        # Click put something else in its place, for the reader of the pipe left, as `head` does. That is no failure.
        _let_go_of_stdout()
        return 0
    except OSError as error:
        if error.filename is not None:
            return _own_fault()
        return _output_lost(error)
    except Exception:  # noqa: BLE001  exit code 1 would say that a submission did not pass
        return _own_fault()
    return result if isinstance(result, int) else 0


def _let_go_of_stdout() -> None:
    """Have all that is written to stdout from now on go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _output_lost(error: OSError) -> int:
    """Say that the output could not be written; what was done is done."""
    _let_go_of_stdout()  # what still stands in the buffer is lost too
    tell(GraderError(f"the output can't be written: {error.strerror}", hint="`grade history` has what was graded"))
    return 3


def _own_fault() -> int:
    error = own_fault()
    tell(error)
    return error.exit_code


def own_fault() -> GraderError:
    """Show where the grader failed, for whoever mends it, while the exception is handled; give what is to be told of it."""
    import traceback

    traceback.print_exc()
    return GraderError(
        "the grader itself failed, as told above", hint="run it again; if it fails again, report the lines above"
    )


def tell(error: GraderError, *, err: bool = True) -> None:
    """Write an error and its remedy, to stderr unless `err` is false."""
    from grader.cli.common import say

    hint = error.hint
    lead = "error: "
    if isinstance(error, BrokenExercise) and error.exercise:
        from grader.render.account import short_name

        told = f"error: the exercise `{error.exercise}` is not sound; this is not your code's fault:"
        say(told, indent="       ", err=err)
        lead = "       "
        hint = hint or f"who keeps the course finds the remedies by `grade verify {short_name(error.exercise)}`"
    for line in error.message.splitlines() or [type(error).__name__]:
        say(f"{lead}{line}", indent="       ", err=err)
    if hint:
        say("", err=err)
        first, *rest = hint.splitlines()
        say(f"hint: {first}", indent="      ", err=err)
        for line in rest:
            say(f"      {line}", indent="      ", err=err)


def _usage(error: click.ClickException) -> int:
    text = error.format_message()
    if isinstance(error, click.exceptions.NoSuchOption):
        text = f"no such option `{error.option_name}`"
    elif isinstance(error, click.MissingParameter) and isinstance(error.param, click.Option):
        choices = getattr(error.param.type, "choices", ())
        text = f"`{error.param.opts[0]}` is missing" + (f": one of {', '.join(choices)}" if choices else "")
    text = text.replace("is not a valid integer range", "is no whole number")
    text = text.replace("is not a valid float range", "is no number")
    near = _meant(error)
    hint = "`grade --help` shows every command"
    if near is not None:
        hint = f"did you mean `{near}`?"
    elif isinstance(error, click.UsageError) and error.ctx is not None:
        hint = f"`{error.ctx.command_path} --help` shows how it is used"
    tell(GraderError(f"{text[:1].lower()}{text[1:].rstrip('.')}", hint=hint))
    return 2


def _meant(error: click.ClickException) -> str | None:
    """Give the option, or the value of an option, that may have been meant."""
    if isinstance(error, click.exceptions.NoSuchOption):
        return error.possibilities[0] if error.possibilities else None
    from difflib import get_close_matches

    given = re.match(r"'(.*)' is not one of ", error.message)
    if given and isinstance(error, click.BadParameter) and error.param is not None:
        choices = getattr(error.param.type, "choices", ())
        return next(iter(get_close_matches(given[1], [str(each) for each in choices], n=1)), None)
    return None


def _interrupted() -> int:
    click.echo("\ninterrupted: everything that was started has been cleaned up", err=True)
    return 130


def _watch_signals() -> None:
    """Let the first Ctrl-C or SIGTERM end the run in order; later ones must not break the cleaning up."""

    def stop(number: int, _frame: FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt(number)

    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, stop)


_SPELT_OTHERWISE = {"import": "history --import FILE", "export": "history --export csv"}


def command_like(name: str) -> str | None:
    """Give the command that may have been meant, with its options where these are it, or `None`."""
    if name in _SPELT_OTHERWISE:
        return _SPELT_OTHERWISE[name]
    from difflib import get_close_matches  # a tenth of the start of a program that mostly does without it

    # Nobody means the command that a bare name stands for: `exercise-30` is a name.
    near = get_close_matches(name, [each for each in COMMANDS if each != GRADE], n=1, cutoff=0.7)
    return near[0] if near else None


def main() -> NoReturn:
    """Run the command line and end the process at once: nothing is left that the interpreter would have to wind up."""
    # A stream that was closed by the caller is none in Python; what goes there goes nowhere.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    code = run()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        pass  # its reader left
    except OSError as error:
        code = _output_lost(error)
    os._exit(code)


if __name__ == "__main__":
    main()
