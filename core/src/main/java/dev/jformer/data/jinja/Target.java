package dev.jformer.data.jinja;

import java.util.List;

/** What a loop or {@code set} gives a value to. */
@FunctionalInterface
interface Target {
  void assign(Object value, Frame frame);

  /** A variable. */
  static Target variable(String name) {
    return (value, frame) -> frame.set(name, value);
  }

  /** An attribute of a namespace. */
  static Target attribute(String owner, String name) {
    return (value, frame) -> {
      if (!(frame.get(owner) instanceof Namespace namespace)) {
        throw new JinjaException(
            "'" + owner + "." + name + "' is set, but '" + owner + "' is no namespace");
      }
      namespace.attributes().put(name, value);
    };
  }

  /** Several targets for the items of a value. */
  static Target several(List<Target> targets) {
    return (value, frame) -> {
      List<Object> items = Values.items(value, frame.budget());
      if (items.size() != targets.size()) {
        throw new JinjaException(
            items.size() + " values are given to " + targets.size() + " variables");
      }
      for (int i = 0; i < items.size(); i++) {
        targets.get(i).assign(items.get(i), frame);
      }
    };
  }
}
