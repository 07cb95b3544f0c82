"""Messages of the real protobuf library, from the published .proto files."""

from __future__ import annotations

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_TYPES = {"int32": 5, "int64": 3, "float": 2, "double": 1, "string": 9, "bytes": 12}


def message_classes(package: str, schema: dict[str, list[str]], syntax: str = "proto3") -> dict:
    """Classes of messages; a field is "name number type", "repeated" before it, "packed" behind."""
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package)
    file.syntax = syntax
    for name, lines in schema.items():
        message = file.message_type.add(name=name)
        for line in lines:
            words = line.split()
            label = 3 if words[0] == "repeated" else 1
            words = words[label == 3 :]
            item = message.field.add(name=words[0], number=int(words[1]), label=label)
            if words[2] in _TYPES:
                item.type = _TYPES[words[2]]
            else:
                item.type, item.type_name = 11, f".{package}.{words[2]}"
            if words[-1] in ("packed", "unpacked"):
                item.options.packed = words[-1] == "packed"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))
        for name in schema
    }
