package dev.jformer.data.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The arguments of a call as they stand in the template. */
final class CallArguments {
  private final List<Expression> positional = new ArrayList<>();
  private final Map<String, Expression> named = new LinkedHashMap<>();
  private Expression spread;
  private Expression spreadNamed;

  void positional(Expression value) {
    positional.add(value);
  }

  void named(String name, Expression value) {
    named.put(name, value);
  }

  /** Adds all items of a list. */
  void spread(Expression items) {
    spread = items;
  }

  /** Adds all entries of a dictionary. */
  void spreadNamed(Expression entries) {
    spreadNamed = entries;
  }

  Arguments values(Frame frame) {
    if (positional.isEmpty() && named.isEmpty() && spread == null && spreadNamed == null) {
      return Arguments.NONE;
    }
    List<Object> values = new ArrayList<>();
    for (Expression expression : positional) {
      values.add(expression.value(frame));
    }
    Map<String, Object> byName = new LinkedHashMap<>();
    named.forEach((name, expression) -> byName.put(name, expression.value(frame)));
    if (spread != null) {
      values.addAll(Values.items(spread.value(frame), frame.budget()));
    }
    if (spreadNamed != null) {
      Values.map(spreadNamed.value(frame))
          .forEach(
              (name, value) -> byName.put(Values.string(name, "the name of an argument"), value));
    }
    frame.budget().make(values.size() + byName.size());
    return new Arguments(values, byName);
  }
}
