"""The commented file and README's table say what the schema says."""

from __future__ import annotations

import re
import tomllib

from config import reference
from config.loading import DEFAULT_FILE, load
from config.settings import Settings, sections


def test_the_shipped_file_is_what_the_schema_says() -> None:
    assert DEFAULT_FILE.read_text(encoding="utf-8") == reference.toml(), "run `make docs`"


def test_readme_has_the_table_of_this_schema() -> None:
    readme = reference.README.read_text(encoding="utf-8")
    assert reference.table() in readme, "run `make docs`"
    assert reference.in_readme(readme) == readme


def test_every_line_of_the_shipped_file_is_valid_and_the_default_once_uncommented() -> None:
    uncommented = tomllib.loads(re.sub(r"(?m)^#(?=\w+ = )", "", reference.toml()))
    optional = {("discord", "token_file"), ("discord", "api_url"), ("discord", "gateway_url")}
    optional |= {("discord", "source_url"), ("discord", "rest_proxy_url")}
    optional |= {("cluster", "secret_file"), ("ray", "token_file"), ("ray", "run_dir")}
    optional |= {("model", "labels"), ("model", "cache_dir"), ("watch", "channels")}
    optional |= {("data", "dir"), ("store", "url"), ("privacy", "contact")}
    for section, schema in sections().items():
        assert set(uncommented[section]) == set(schema.model_fields)
        schema.model_validate(uncommented[section])
        for key in schema.model_fields:
            if (section, key) in optional:
                del uncommented[section][key]
    assert Settings.model_validate(uncommented) == Settings() == load(environ={})


def test_every_setting_says_why() -> None:
    silent = [
        f"{section}.{key}"
        for section, schema in sections().items()
        for key, field in schema.model_fields.items()
        if not field.description
    ]
    assert not silent
