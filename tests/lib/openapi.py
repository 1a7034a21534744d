#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is an answer what the OpenAPI document says? The subset of JSON Schema that benchd's document
uses; a keyword outside it is an error, so that nothing is waved through.

Usage: openapi.py DOCUMENT METHOD TEMPLATE STATUS BODY
"""
import json
import re
import sys
import uuid

TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}
KNOWN = {"type", "properties", "required", "items", "enum", "format", "description", "$ref",
         "oneOf", "additionalProperties", "minItems", "maxItems", "minimum", "maximum", "default"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def is_type(value, name):
    if isinstance(value, bool) and name != "boolean":
        return False
    return isinstance(value, TYPES[name])


def check_format(value, name, where):
    if name == "uuid":
        uuid.UUID(value)
    elif name == "date-time" and not TIME.fullmatch(value):
        raise ValueError(f"{where}: '{value}' is no time")


def check_type(schema, value, where):
    names = schema["type"]
    names = names if isinstance(names, list) else [names]
    if not any(is_type(value, n) for n in names):
        raise ValueError(f"{where}: {json.dumps(value)[:60]} is not {' or '.join(names)}")


def check_object(doc, schema, value, where):
    for name in schema.get("required", []):
        if name not in value:
            raise ValueError(f"{where}: '{name}' is missing")
    for name, sub in schema.get("properties", {}).items():
        if name in value:
            check(doc, sub, value[name], f"{where}/{name}")
    if schema.get("additionalProperties", True) is False:
        extra = set(value) - set(schema.get("properties", {}))
        if extra:
            raise ValueError(f"{where}: unknown {sorted(extra)}")


def check_one_of(doc, schemas, value, where):
    errors = []
    for sub in schemas:
        try:
            return check(doc, sub, value, where)
        except ValueError as e:
            errors.append(str(e))
    raise ValueError("; ".join(errors))


def check(doc, schema, value, where):
    unknown = set(schema) - KNOWN
    if unknown:
        raise ValueError(f"{where}: the schema uses {sorted(unknown)}, which is not checked")
    if "$ref" in schema:
        target = doc
        for part in schema["$ref"][2:].split("/"):
            target = target[part]
        return check(doc, target, value, where)
    if "oneOf" in schema:
        return check_one_of(doc, schema["oneOf"], value, where)
    if "type" in schema:
        check_type(schema, value, where)
    if value is None:
        return None
    if "enum" in schema and value not in schema["enum"]:
        raise ValueError(f"{where}: '{value}' is none of {schema['enum']}")
    if "format" in schema:
        check_format(value, schema["format"], where)
    if isinstance(value, dict):
        check_object(doc, schema, value, where)
    if isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            raise ValueError(f"{where}: {len(value)} elements")
        for i, element in enumerate(value):
            check(doc, schema.get("items", {}), element, f"{where}/{i}")
    return None


def main(document, method, template, status, body):
    with open(document, encoding="utf-8") as f:
        doc = json.load(f)
    with open(body, encoding="utf-8") as f:
        value = json.load(f)
    answers = doc["paths"][template][method.lower()]["responses"]
    answer = answers.get(status) or answers["default"]
    if "$ref" in answer:
        answer = doc["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
    schema = list(answer["content"].values())[0]["schema"]
    check(doc, schema, value, "")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (ValueError, KeyError) as e:
        sys.exit(f"{sys.argv[2]} {sys.argv[3]} {sys.argv[4]}: {e!r}")
