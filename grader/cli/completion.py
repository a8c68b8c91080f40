"""`grade completion SHELL`: let the shell complete commands, options and exercise names."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

_SHELLS: dict[str, type[ShellComplete]] = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}
_WHERE = {
    "bash": 'in ~/.bashrc:  eval "$(grade completion bash)"',
    "zsh": 'in ~/.zshrc, after compinit:  eval "$(grade completion zsh)"',
    "fish": "once:  grade completion fish > ~/.config/fish/completions/grade.fish",
}
# Click's scripts call the program by its bare name. Ours may be called by a path, as `./grade` in a clone is.
_CALLS = {
    "zsh": (
        ("    (( ! $+commands[%(prog_name)s] )) && return 1\n", ""),
        ("%(complete_var)s=zsh_complete %(prog_name)s", "%(complete_var)s=zsh_complete ${~words[1]}"),
    ),
    "fish": (("COMP_CWORD=(commandline -t) %(prog_name)s", "COMP_CWORD=(commandline -t) (commandline -opc)[1]"),),
}


@click.command("completion", short_help="Print what makes a shell complete names.")
@click.argument("shell", metavar="SHELL", type=click.Choice(list(_SHELLS)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> int:
    """Print the script that makes a shell complete commands, options and the names of exercises.

    SHELL is bash, zsh or fish.
    """
    kind = _SHELLS[shell]
    template = kind.source_template
    for old, new in _CALLS.get(shell, ()):
        template = template.replace(old, new)
    script = template % kind(ctx.find_root().command, {}, "grade", "_GRADE_COMPLETE").source_vars()
    # Last, for zsh reads the first line.
    click.echo(f"{script.strip()}\n\n# {_WHERE[shell]}")
    return 0
