"""What the environment may set: `SURPRISAL_*`, read once."""

from functools import cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

VERSION = "0.2.0"


class Settings(BaseSettings):
    """The server's settings; every field has a default that works on a laptop."""

    model_config = SettingsConfigDict(env_prefix="SURPRISAL_", env_ignore_empty=True, frozen=True)

    database_url: str | None = Field(None, description="SQLAlchemy URL; default: a file of yours")
    content: Path | None = Field(None, description="course folder; default: the one shipped")
    public_url: str | None = Field(None, description="where decks link to; default: course.yaml")
    secure_cookies: bool = Field(default=False, description="set when served over https")


@cache
def settings() -> Settings:
    """Return the settings of this process."""
    return Settings()
