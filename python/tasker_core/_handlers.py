"""Finding the handlers that templates name, in the modules that the user named and nowhere else."""

import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

from tasker_core.errors import ConfigurationError
from tasker_core.step_handler.base import StepHandler


class HandlerCatalogue:
    """The handlers of the modules that the user named.

    Args:
        modules: Names of modules or packages, or modules. Of a package, all modules inside are
            imported.

    Raises:
        ConfigurationError: A module can't be imported, or two handlers have one name.
    """

    def __init__(self, modules: Iterable[str | ModuleType] = ()) -> None:
        self._modules: list[str] = []
        self._by_name: dict[str, type[StepHandler]] = {}
        for module in modules:
            self.add_module(module)

    def add_module(self, module: str | ModuleType) -> None:
        """Take in the handlers of one more module or package."""
        name = module if isinstance(module, str) else module.__name__
        root = _import(name) if isinstance(module, str) else module
        self._modules.append(name)
        for one in _with_submodules(root):
            for handler in _defined_in(one):
                self._register(handler)

    def find(self, callable_name: str) -> type[StepHandler] | None:
        """The handler class that a template's `callable` names: by its own name, or by the dotted
        path of a class or function.
        """
        found = self._by_name.get(callable_name)
        if found is not None:
            return found
        module_name, _, attribute = callable_name.rpartition(".")
        if module_name and self._is_named(module_name):
            module = sys.modules.get(module_name)
            return _as_handler(getattr(module, attribute, None)) if module else None
        return None

    def names(self) -> list[str]:
        """What templates can call the handlers by."""
        dotted = {f"{one.__module__}.{one.__qualname__}" for one in self._by_name.values()}
        return sorted(dotted | set(self._by_name))

    def why_not(self, callable_name: str) -> str:
        """What to do about a handler that was not found."""
        module_name, _, attribute = callable_name.rpartition(".")
        if module_name and not self._is_named(module_name):
            root = module_name.partition(".")[0]
            named = (
                f"only {', '.join(self._modules)} may be used"
                if self._modules
                else "no module was named"
            )
            return (
                f'{named}; add `--handlers {root}` (or `handlers=["{root}"]`) to load it from there'
            )
        from difflib import get_close_matches

        near = get_close_matches(callable_name, self.names(), n=1, cutoff=0.6)
        if near:
            return f"did you mean `{near[0]}`?"
        if module_name in sys.modules:
            return f"the module `{module_name}` has no handler `{attribute}`"
        known = ", ".join(f"`{name}`" for name in self.names()[:8])
        return f"known handlers: {known}" if known else "the named modules hold no handlers"

    def _is_named(self, module_name: str) -> bool:
        return any(module_name == one or module_name.startswith(f"{one}.") for one in self._modules)

    def _register(self, handler: type[StepHandler]) -> None:
        name = handler.handler_name or handler.__name__
        other = self._by_name.setdefault(name, handler)
        if other is handler:
            return
        if name == handler.__name__ and not handler.handler_name:
            # Two classes of one name in two modules: their dotted paths still tell them apart.
            return
        raise ConfigurationError(
            f"two handlers are named `{name}`: {_place(other)} and {_place(handler)}; rename one"
        )


def _import(name: str) -> ModuleType:
    try:
        return import_module(name)
    except (Exception, SystemExit) as error:
        if isinstance(error, ModuleNotFoundError) and error.name == name.partition(".")[0]:
            raise ConfigurationError(
                f"there is no module `{name}` to load handlers from: "
                "is it installed, or in the folder you are in?"
            ) from error
        raise ConfigurationError(
            f"the handler module `{name}` can't be imported: "
            f"{type(error).__name__}: {error}{_where(error)}"
        ) from error


def _where(error: BaseException) -> str:
    """The file and line of user code that an import failed at."""
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({error.filename}:{error.lineno})"
    place = ""
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith("<frozen") and file != __file__ and "importlib" not in file:
            place = f" ({file}:{trace.tb_lineno})"
        trace = trace.tb_next
    return place


def _with_submodules(root: ModuleType) -> Iterator[ModuleType]:
    yield root
    if hasattr(root, "__path__"):
        from pkgutil import walk_packages

        for found in walk_packages(root.__path__, f"{root.__name__}."):
            if not found.name.endswith(".__main__"):
                yield _import(found.name)


def _defined_in(module: ModuleType) -> Iterator[type[StepHandler]]:
    for value in list(vars(module).values()):
        handler = _as_handler(value)
        if handler is not None and handler.__module__ == module.__name__:
            yield handler


def _as_handler(value: Any) -> type[StepHandler] | None:
    handler = getattr(value, "_handler_class", value)
    if not (isinstance(handler, type) and issubclass(handler, StepHandler)):
        return None
    return None if getattr(handler, "__abstractmethods__", None) else handler


def _place(handler: type[StepHandler]) -> str:
    function = getattr(handler, "function", None)
    code = getattr(function, "__code__", None) or getattr(handler.call, "__code__", None)
    where = f" ({code.co_filename}:{code.co_firstlineno})" if code else ""
    return f"{handler.__module__}.{handler.__qualname__}{where}"
