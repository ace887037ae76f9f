"""Meta's business SDK as a child: a JSON array of [field, value] a line, answered by a line of what it makes of each."""

import importlib.util
import json
import os
import sys

# The module alone: the package as a whole wants an HTTP client, which nothing here does.
package = importlib.util.find_spec("facebook_business").submodule_search_locations[0]
path = os.path.join(package, "adobjects", "serverside", "normalize.py")
spec = importlib.util.spec_from_file_location("normalize", path)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)


def normalise(field, value):
    try:
        plain = module.Normalize.normalize_field_skip_hashing(field, value)
        hashed = module.Normalize.normalize_field(field, value)
    except (TypeError, ValueError):
        return None
    return [plain, hashed]


for line in sys.stdin:
    print(json.dumps([normalise(field, value) for field, value in json.loads(line)]), flush=True)
