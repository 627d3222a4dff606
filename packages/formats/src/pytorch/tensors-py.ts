/** Python that reads a safetensors file, and holds its tensors by the parts of their names. */
export const tensorsPy = `def read(path):
    """The tensors of a safetensors file, by name."""
    data = bytearray(pathlib.Path(path).read_bytes())
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            values = torch.frombuffer(data, dtype=torch.float32, count=(end - begin) // 4, offset=8 + length + begin)
            tensors[name] = values.reshape(entry["shape"]).clone()
    return tensors

class Node(nn.Module):
    """Parameters by the parts of their names."""

    def put(self, path, tensor):
        first, _, rest = path.partition(".")
        if rest:
            self._modules.setdefault(first, Node()).put(rest, tensor)
        else:
            self.register_parameter(first, nn.Parameter(tensor))

    def get(self, name):
        return self._modules.get(name) if name in self._modules else self._parameters.get(name)
`;

/** A text as Python reads it: JSON's escapes are Python's. */
export const pythonText = (text: string): string => JSON.stringify(text);

/** Writes a model's summary for the first line of a docstring. */
export const docText = (summary: string): string => summary.replaceAll('\\', '').replaceAll('"', "'");
