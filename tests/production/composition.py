"""`docker-compose.yml` as Compose reads it: variables put in, parsed, checked."""

import re
from collections.abc import Mapping
from pathlib import Path

from compose_spec import PyOptions
from compose_spec.models import Service

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"

VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?:(?P<how>:-|:\?)(?P<word>[^}]*))?\})")

SECRETS: Mapping[str, str] = {
    "AL_DATABASE_PASSWORD": "d4tabase",
    "AL_BROKER_PASSWORD": "br0ker",
}


def interpolated(text: str, variables: Mapping[str, str]) -> str:
    """Put variables in, by the rules of the Compose specification.

    Raises:
        KeyError: A required variable (`${NAME:?message}`) has no value.
    """

    def value(match: re.Match[str]) -> str:
        name, how, word = match["name"], match["how"], match["word"]
        if name is None:
            return "$"
        found = variables.get(name, "")
        if how == ":?" and not found:
            raise KeyError(word)
        return found or (word if how == ":-" else "")

    return VARIABLE.sub(value, text)


def services(variables: Mapping[str, str] = SECRETS) -> dict[str, Service]:
    """Every service, after the parser has accepted the whole file."""
    composition = PyOptions(apply_merge=True).from_yaml(
        interpolated(FILE.read_text(encoding="utf-8"), variables)
    )
    composition.validate()
    found = composition.to_spec().services
    assert found is not None
    return found


def command_of(service: Service) -> list[str]:
    """Its command, word by word."""
    assert isinstance(service.command, list)
    return [str(word) for word in service.command]


def environment_of(service: Service) -> dict[str, str]:
    """Its variables."""
    given: object = service.environment
    assert isinstance(given, dict)
    return {str(name): str(value) for name, value in given.items()}


def health_check_of(service: Service) -> list[str]:
    """The words of its health check's command."""
    assert service.healthcheck is not None
    test = service.healthcheck.test
    assert isinstance(test, list)
    assert test[0] == "CMD"
    return [str(word) for word in test[1:]]
