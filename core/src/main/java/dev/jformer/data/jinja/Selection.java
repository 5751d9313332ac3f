package dev.jformer.data.jinja;

import java.util.ArrayList;
import java.util.List;

/** The filters that apply another filter or a test to each item. */
final class Selection {
  private Selection() {}

  /** {@code items | map('upper')} or {@code items | map(attribute='name')}. */
  static View map(Object value, Arguments arguments, Frame frame) {
    List<Object> results = new ArrayList<>();
    if (arguments.positional().isEmpty()) {
      Object path = arguments.require(0, "attribute");
      Object missing = arguments.get(1, "default", null);
      for (Object item : items(value, frame)) {
        results.add(attribute(item, path, missing, frame.budget()));
      }
      return View.lazy(results);
    }
    String filter = arguments.text(0, "filter");
    Arguments rest = arguments.after(1);
    for (Object item : items(value, frame)) {
      results.add(Filters.apply(filter, item, rest, frame));
    }
    return View.lazy(results);
  }

  /** The items that pass a test, or do not. */
  static View select(Object value, Arguments arguments, Frame frame, boolean wanted) {
    List<Object> kept = new ArrayList<>();
    for (Object item : items(value, frame)) {
      if (passes(item, arguments, frame) == wanted) {
        kept.add(item);
      }
    }
    return View.lazy(kept);
  }

  /** The items with an attribute that passes a test, or does not. */
  static View selectAttribute(Object value, Arguments arguments, Frame frame, boolean wanted) {
    Object path = arguments.require(0, "attribute");
    Arguments test = arguments.after(1);
    List<Object> kept = new ArrayList<>();
    for (Object item : items(value, frame)) {
      if (passes(attribute(item, path, null, frame.budget()), test, frame) == wanted) {
        kept.add(item);
      }
    }
    return View.lazy(kept);
  }

  /** The items of a value; of one that counts as false there are none, whatever its type. */
  private static List<Object> items(Object value, Frame frame) {
    return Values.isTrue(value) ? Values.items(value, frame.budget()) : List.of();
  }

  private static boolean passes(Object value, Arguments arguments, Frame frame) {
    frame.budget().step();
    return arguments.positional().isEmpty()
        ? Values.isTrue(value)
        : Tests.test(arguments.text(0, "test"), value, arguments.after(1), frame.budget());
  }

  /**
   * An item's attribute.
   *
   * @param path names or indices with dots between them, or one index
   * @param missing instead of an attribute that does not exist; null for none
   */
  static Object attribute(Object item, Object path, Object missing, Budget budget) {
    Object found = item;
    Object[] parts = path instanceof String text ? text.split("\\.", -1) : new Object[] {path};
    for (Object part : parts) {
      boolean isIndex = part instanceof String text && text.matches("\\d{1,9}");
      found = Attributes.item(found, isIndex ? (Object) Long.valueOf((String) part) : part, budget);
      if (found instanceof Undefined && missing != null) {
        return missing;
      }
    }
    return found;
  }
}
