"""``python run_airbyte.py URL read --config … --catalog …``: Airbyte's source, with a sandbox as the API."""

import sys

from airbyte_cdk.entrypoint import launch
from airbyte_cdk.sources.declarative.yaml_declarative_source import YamlDeclarativeSource
from source_partnerstack import SourcePartnerstack

OFFICIAL = "https://api.partnerstack.com"
url, *arguments = sys.argv[1:]
read = YamlDeclarativeSource._read_and_parse_yaml_file


def with_url(source, path):
    return _replaced(read(source, path))


def _replaced(value):
    if isinstance(value, dict):
        return {name: _replaced(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item) for item in value]
    return value.replace(OFFICIAL, url) if isinstance(value, str) else value


YamlDeclarativeSource._read_and_parse_yaml_file = with_url
launch(SourcePartnerstack(), arguments)
