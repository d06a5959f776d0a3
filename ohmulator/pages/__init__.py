"""Pages of the documentation that follow from the definitions, as Markdown without their titles."""

from collections.abc import Callable

from ohmulator.pages import api, commands, configuration, machine, pins

PAGES: dict[str, Callable[..., str]] = {
    "api": api.document,
    "commands": commands.document,
    "configuration": configuration.document,
    "machine": machine.document,
    "pins": pins.document,
}
"""Writers of the pages by name. `docs/extensions/generated.py` puts them into the site."""
