"""Templates in files."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tasker_core._extension import core as _extension
from tasker_core.exceptions import TemplateError

if TYPE_CHECKING:
    from tasker_core._tasker_core import Template


def read_source(path: str | os.PathLike[str]) -> str:
    """Read the text of a template.

    Raises:
        TemplateError: There is no such file, or it can't be read.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise TemplateError(f"there is no template {os.fspath(path)}") from None
    except IsADirectoryError:
        raise TemplateError(
            f"the template {os.fspath(path)} is a folder: name a YAML file in it"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(f"the template {os.fspath(path)} can't be read: {error}") from None


def parse(source: str, file: str, environment: str | None = None) -> "Template":
    """Check the text of a template; needs neither handlers nor a database.

    Args:
        source: The YAML text.
        file: What errors call it.
        environment: Which of its `environments` applies; `TASKER_ENV` if None.

    Raises:
        TemplateError: It has errors; `problems` lists all.
    """
    chosen = os.environ.get("TASKER_ENV") if environment is None else environment
    return _extension.parse_template(source, file=file, environment=chosen)
