package dev.jformer.data.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Methods of dictionaries and lists that do not change them. */
final class ContainerMethods {
  private static final Set<String> CHANGING_MAP =
      Set.of("clear", "pop", "popitem", "setdefault", "update");
  private static final Set<String> CHANGING_LIST =
      Set.of("append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort");

  private ContainerMethods() {}

  /** A method of a dictionary; null if it has none of this name. */
  static Object ofMap(Map<Object, Object> map, String name) {
    return switch (name) {
      case "keys" -> method((a, f) -> view("dict_keys", new ArrayList<>(map.keySet()), f));
      case "values" -> method((a, f) -> view("dict_values", new ArrayList<>(map.values()), f));
      case "items" -> method((a, f) -> view("dict_items", pairs(map), f));
      case "get" ->
          method(
              (a, f) -> {
                Object key = Values.key(a.require(0, "key"));
                return map.containsKey(key) ? map.get(key) : a.get(1, "default", null);
              });
      case "copy" -> method((a, f) -> copy(map, f));
      default -> unsafe(CHANGING_MAP, "dict", name);
    };
  }

  /** The entries of a dictionary as pairs. */
  static List<Object> pairs(Map<Object, Object> map) {
    List<Object> pairs = new ArrayList<>();
    map.forEach((key, value) -> pairs.add(Tuple.of(key, value)));
    return pairs;
  }

  private static Object copy(Map<Object, Object> map, Frame frame) {
    frame.budget().make(map.size());
    return new LinkedHashMap<>(map);
  }

  private static View view(String name, List<Object> items, Frame frame) {
    frame.budget().make(items.size());
    return new View(name, items);
  }

  /** A method of a list; null if it has none of this name. */
  static Object ofList(List<?> list, String name) {
    return switch (name) {
      case "index" ->
          method(
              (a, f) -> {
                for (int i = 0; i < list.size(); i++) {
                  if (Values.equal(list.get(i), a.require(0, "value"), f.budget())) {
                    return (long) i;
                  }
                }
                throw new JinjaException("the value is not in the list");
              });
      case "count" ->
          method(
              (a, f) ->
                  list.stream()
                      .filter(item -> Values.equal(item, a.require(0, "value"), f.budget()))
                      .count());
      case "copy" ->
          method(
              (a, f) -> {
                f.budget().make(list.size());
                return new ArrayList<Object>(list);
              });
      default -> unsafe(CHANGING_LIST, "list", name);
    };
  }

  private static Object unsafe(Set<String> changing, String type, String name) {
    return changing.contains(name)
        ? new Undefined("'" + name + "' of a " + type + " changes it, which is not allowed")
        : null;
  }

  private static Callable method(Callable callable) {
    return callable;
  }
}
