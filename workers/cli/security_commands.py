"""`tocsin security …`: who proves to be who."""

from workers.cli.lazy import new_app
from workers.cli.second_factor_commands import app as second_factor

app = new_app(help="Second factors of persons.", no_args_is_help=True)


@app.callback()
def _security() -> None:
    """Second factors of persons."""


app.add_typer(second_factor, name="second-factor")
