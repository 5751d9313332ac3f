package dev.jformer.data.jinja;

import java.util.LinkedHashMap;
import java.util.Map;

/** An object whose attributes a template can set, from inside of loops too. */
record Namespace(Map<String, Object> attributes) {
  Namespace() {
    this(new LinkedHashMap<>());
  }
}
