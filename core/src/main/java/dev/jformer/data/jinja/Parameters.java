package dev.jformer.data.jinja;

import java.util.List;

/**
 * The parameters of a macro.
 *
 * @param defaults of the same number as the names; null for a parameter without one
 */
record Parameters(List<String> names, List<Expression> defaults) {
  /** Gives the parameters their values. */
  void bind(String macro, Arguments arguments, Frame frame) {
    List<Object> positional = arguments.positional();
    for (int i = 0; i < names.size(); i++) {
      String name = names.get(i);
      Expression otherwise = defaults.get(i);
      if (arguments.has(i, name)) {
        frame.set(name, arguments.get(i, name, null));
      } else if (otherwise != null) {
        frame.set(name, otherwise.value(frame));
      } else {
        frame.set(name, new Undefined("the argument '" + name + "' of '" + macro + "' is missing"));
      }
    }
    int known = Math.min(names.size(), positional.size());
    frame.set("varargs", new Tuple(positional.subList(known, positional.size())));
    java.util.Map<Object, Object> others = new java.util.LinkedHashMap<>(arguments.named());
    names.forEach(others::remove);
    frame.set("kwargs", others);
  }
}
