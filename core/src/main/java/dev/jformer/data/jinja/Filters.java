package dev.jformer.data.jinja;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/** Jinja's filters. */
final class Filters {
  /** A filter's work on a value. */
  @FunctionalInterface
  private interface Filter {
    Object apply(Object value, Arguments arguments, Frame frame);
  }

  private static final Map<String, Filter> ALL = new HashMap<>();

  private static final Pattern SPACES = Pattern.compile("(?U)\\s+");

  static {
    ALL.put("abs", (v, a, f) -> Values.compare(v, 0L, f.budget()) < 0 ? Operators.negate(v) : v);
    ALL.put("attr", (v, a, f) -> Attributes.attribute(v, a.text(0, "name")));
    ALL.put("batch", (v, a, f) -> batches(v, a, f));
    ALL.put("capitalize", (v, a, f) -> StringMethods.capitalize(text(v, f)));
    ALL.put(
        "center",
        (v, a, f) ->
            method(
                text(v, f),
                "center",
                a.count() == 0 ? new Arguments(List.of(80L), Map.of()) : a,
                f));
    ALL.put("count", (v, a, f) -> Values.length(v));
    ALL.put("length", (v, a, f) -> Values.length(v));
    ALL.put("default", Filters::otherwise);
    ALL.put("d", Filters::otherwise);
    ALL.put("dictsort", (v, a, f) -> sortedEntries(v, a, f.budget()));
    ALL.put("escape", (v, a, f) -> escape(text(v, f)));
    ALL.put("e", (v, a, f) -> escape(text(v, f)));
    ALL.put("forceescape", (v, a, f) -> escape(text(v, f)));
    ALL.put("first", (v, a, f) -> end(Values.items(v, f.budget()), true));
    ALL.put("last", (v, a, f) -> end(Values.items(v, f.budget()), false));
    ALL.put("float", (v, a, f) -> decimal(v, a.get(0, "default", 0.0)));
    ALL.put("int", (v, a, f) -> integer(v, a.get(0, "default", 0L), a.integer(1, "base", 10)));
    ALL.put(
        "format",
        (v, a, f) ->
            Formats.percent(
                text(v, f),
                a.named().isEmpty()
                    ? new Tuple(a.positional())
                    : new LinkedHashMap<Object, Object>(a.named()),
                f.budget()));
    ALL.put("groupby", (v, a, f) -> groups(v, a, f.budget()));
    ALL.put("indent", (v, a, f) -> indent(text(v, f), a, f.budget()));
    ALL.put(
        "items",
        (v, a, f) ->
            View.lazy(v instanceof Undefined ? List.of() : ContainerMethods.pairs(Values.map(v))));
    ALL.put("join", (v, a, f) -> join(v, a, f));
    ALL.put("list", (v, a, f) -> new ArrayList<>(Values.items(v, f.budget())));
    ALL.put("lower", (v, a, f) -> text(v, f).toLowerCase(Locale.ROOT));
    ALL.put("upper", (v, a, f) -> text(v, f).toUpperCase(Locale.ROOT));
    ALL.put("map", (v, a, f) -> Selection.map(v, a, f));
    ALL.put("max", (v, a, f) -> extreme(v, a, f.budget(), -1));
    ALL.put("min", (v, a, f) -> extreme(v, a, f.budget(), 1));
    ALL.put(
        "replace",
        (v, a, f) ->
            StringMethods.replace(
                text(v, f),
                Text.of(a.require(0, "old"), f.budget()),
                Text.of(a.require(1, "new"), f.budget()),
                a.get(2, "count", null) == null ? -1 : a.integer(2, "count", -1),
                f));
    ALL.put("reject", (v, a, f) -> Selection.select(v, a, f, false));
    ALL.put("select", (v, a, f) -> Selection.select(v, a, f, true));
    ALL.put("rejectattr", (v, a, f) -> Selection.selectAttribute(v, a, f, false));
    ALL.put("selectattr", (v, a, f) -> Selection.selectAttribute(v, a, f, true));
    ALL.put("reverse", (v, a, f) -> reversed(v, f.budget()));
    ALL.put("round", (v, a, f) -> round(v, a));
    ALL.put("safe", (v, a, f) -> text(v, f));
    ALL.put("string", (v, a, f) -> text(v, f));
    ALL.put("slice", (v, a, f) -> slices(v, a, f));
    ALL.put("sort", (v, a, f) -> sorted(v, a, f.budget()));
    ALL.put("striptags", (v, a, f) -> withoutTags(text(v, f)));
    ALL.put("sum", (v, a, f) -> sum(v, a, f.budget()));
    ALL.put("title", (v, a, f) -> title(text(v, f)));
    ALL.put("tojson", (v, a, f) -> Json.write(v, a, f.budget()));
    ALL.put("trim", (v, a, f) -> method(text(v, f), "strip", a, f));
    ALL.put("truncate", (v, a, f) -> truncate(text(v, f), a));
    ALL.put("unique", (v, a, f) -> unique(v, a, f.budget()));
    ALL.put(
        "urlencode",
        (v, a, f) ->
            URLEncoder.encode(text(v, f), StandardCharsets.UTF_8)
                .replace("+", "%20")
                .replace("%2F", "/")
                .replace("%7E", "~")
                .replace("*", "%2A"));
    ALL.put(
        "wordcount",
        (v, a, f) -> Pattern.compile("(?U)\\w+").matcher(text(v, f)).results().count());
  }

  private Filters() {}

  static boolean exists(String name) {
    return ALL.containsKey(name);
  }

  /**
   * Applies a filter.
   *
   * @throws JinjaException if there is none of this name
   */
  static Object apply(String name, Object value, Arguments arguments, Frame frame) {
    frame.budget().step();
    Filter filter = ALL.get(name);
    if (filter == null) {
      throw new JinjaException("there is no filter named '" + name + "'");
    }
    return filter.apply(value, arguments, frame);
  }

  private static String text(Object value, Frame frame) {
    String text = Text.of(value, frame.budget());
    frame.budget().make(text.length());
    return text;
  }

  private static Object method(String text, String name, Arguments arguments, Frame frame) {
    return StringMethods.of(text, name).call(arguments, frame);
  }

  private static Object otherwise(Object value, Arguments arguments, Frame frame) {
    boolean missing =
        value instanceof Undefined || (arguments.flag(1, "boolean") && !Values.isTrue(value));
    return missing ? arguments.get(0, "default_value", "") : value;
  }

  private static List<Object> batches(Object value, Arguments arguments, Frame frame) {
    int size = Math.max(1, arguments.integer(0, "linecount", 1));
    List<Object> items = Values.items(value, frame.budget());
    List<Object> batches = new ArrayList<>();
    for (int i = 0; i < items.size(); i += size) {
      List<Object> batch =
          new ArrayList<>(items.subList(i, (int) Math.min(items.size(), (long) i + size)));
      Object fill = arguments.get(1, "fill_with", null);
      if (fill != null) {
        frame.budget().make(size);
        batch.addAll(Collections.nCopies(size - batch.size(), fill));
      }
      batches.add(batch);
    }
    return batches;
  }

  private static List<Object> slices(Object value, Arguments arguments, Frame frame) {
    int count = Math.max(1, arguments.integer(0, "slices", 1));
    frame.budget().make(count);
    List<Object> items = Values.items(value, frame.budget());
    Object fill = arguments.get(1, "fill_with", null);
    int longer = items.size() % count;
    List<Object> slices = new ArrayList<>();
    int from = 0;
    for (int i = 0; i < count; i++) {
      int to = from + items.size() / count + (i < longer ? 1 : 0);
      List<Object> slice = new ArrayList<>(items.subList(from, to));
      if (fill != null && i >= longer) {
        slice.add(fill);
      }
      slices.add(slice);
      from = to;
    }
    return slices;
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("'", "&#39;")
        .replace("\"", "&#34;");
  }

  private static String withoutTags(String text) {
    StringBuilder out = new StringBuilder();
    int at = 0;
    for (int open = text.indexOf('<'); open >= 0; open = text.indexOf('<', at)) {
      boolean isComment = text.startsWith("<!--", open);
      int close = isComment ? text.indexOf("-->", open + 4) : text.indexOf('>', open);
      if (close < 0) {
        break;
      }
      out.append(text, at, open);
      at = close + (isComment ? 3 : 1);
    }
    return SPACES
        .matcher(Characters.strip(out.append(text.substring(at)).toString()))
        .replaceAll(" ");
  }

  private static Object end(List<Object> items, boolean first) {
    return items.isEmpty()
        ? new Undefined("there is no " + (first ? "first" : "last") + " item")
        : items.get(first ? 0 : items.size() - 1);
  }

  private static Object decimal(Object value, Object otherwise) {
    if (Values.isNumber(value)) {
      return Values.decimal(value);
    }
    try {
      return value instanceof String text
          ? (Object) Double.valueOf(Characters.strip(text))
          : otherwise;
    } catch (NumberFormatException e) {
      return otherwise;
    }
  }

  private static Object integer(Object value, Object otherwise, int base) {
    if (Values.isInteger(value)) {
      return Values.integer(value);
    }
    try {
      if (value instanceof String text) {
        String digits = Characters.strip(text).replace("_", "");
        boolean plain = base != 10 || digits.matches("[+-]?\\d+");
        return plain ? Long.parseLong(digits, base) : whole(Double.parseDouble(digits), otherwise);
      }
      return Values.isNumber(value) ? whole(Values.decimal(value), otherwise) : otherwise;
    } catch (NumberFormatException e) {
      return otherwise;
    }
  }

  private static Object whole(double value, Object otherwise) {
    return Double.isNaN(value) || Double.isInfinite(value) ? otherwise : (Object) (long) value;
  }

  private static List<Object> groups(Object value, Arguments arguments, Budget budget) {
    Object path = arguments.require(0, "attribute");
    Object missing = arguments.get(1, "default", null);
    List<Object> items = new ArrayList<>(Values.items(value, budget));
    items.sort(
        by(
            item -> Selection.attribute(item, path, missing, budget),
            arguments.flag(2, "case_sensitive"),
            budget));
    List<Object> groups = new ArrayList<>();
    Object last = null;
    List<Object> members = null;
    for (Object item : items) {
      Object key = Selection.attribute(item, path, missing, budget);
      if (members == null || !Values.equal(folded(key), folded(last), budget)) {
        members = new ArrayList<>();
        groups.add(Tuple.of(key, members));
        last = key;
      }
      members.add(item);
    }
    return groups;
  }

  private static Object folded(Object key) {
    return key instanceof String text ? text.toLowerCase(Locale.ROOT) : key;
  }

  private static Comparator<Object> by(
      java.util.function.Function<Object, Object> key, boolean exact, Budget budget) {
    return (a, b) ->
        exact
            ? Values.compare(key.apply(a), key.apply(b), budget)
            : Values.compare(folded(key.apply(a)), folded(key.apply(b)), budget);
  }

  private static List<Object> sorted(Object value, Arguments arguments, Budget budget) {
    List<Object> items = new ArrayList<>(Values.items(value, budget));
    budget.make(items.size());
    Object path = arguments.get(2, "attribute", null);
    Comparator<Object> order =
        by(
            item -> path == null ? item : Selection.attribute(item, path, null, budget),
            arguments.flag(1, "case_sensitive"),
            budget);
    items.sort(arguments.flag(0, "reverse") ? order.reversed() : order);
    return items;
  }

  private static List<Object> sortedEntries(Object value, Arguments arguments, Budget budget) {
    List<Object> pairs = ContainerMethods.pairs(Values.map(value));
    budget.make(pairs.size());
    int part = arguments.text(1, "by", "key").equals("value") ? 1 : 0;
    Comparator<Object> order =
        by(pair -> ((Tuple) pair).get(part), arguments.flag(0, "case_sensitive"), budget);
    pairs.sort(arguments.flag(2, "reverse") ? order.reversed() : order);
    return pairs;
  }

  private static Object extreme(Object value, Arguments arguments, Budget budget, int sign) {
    Object path = arguments.get(1, "attribute", null);
    Comparator<Object> order =
        by(
            item -> path == null ? item : Selection.attribute(item, path, null, budget),
            arguments.flag(0, "case_sensitive"),
            budget);
    Object best = null;
    boolean any = false;
    for (Object item : Values.items(value, budget)) {
      if (!any || sign * order.compare(item, best) < 0) {
        best = item;
        any = true;
      }
    }
    return any ? best : new Undefined("there is no item to choose from");
  }

  private static String indent(String text, Arguments arguments, Budget budget) {
    Object width = arguments.get(0, "width", 4L);
    String margin = width instanceof String given ? given : spaces(Values.index(width), budget);
    boolean blank = arguments.flag(2, "blank");
    StringBuilder out = new StringBuilder(arguments.flag(1, "first") ? margin : "");
    String[] lines = text.split("\n", -1);
    for (int i = 0; i < lines.length; i++) {
      boolean bare = lines[i].isEmpty() && !blank;
      out.append(i == 0 ? "" : "\n").append(i == 0 || bare ? "" : margin).append(lines[i]);
      budget.step();
      budget.bound(out.length());
    }
    return out.toString();
  }

  private static String spaces(int count, Budget budget) {
    budget.make(count);
    return " ".repeat(Math.max(0, count));
  }

  private static String join(Object value, Arguments arguments, Frame frame) {
    String separator = Text.of(arguments.get(0, "d", ""), frame.budget());
    Object path = arguments.get(1, "attribute", null);
    StringBuilder out = new StringBuilder();
    String between = "";
    for (Object item : Values.items(value, frame.budget())) {
      Object part = path == null ? item : Selection.attribute(item, path, null, frame.budget());
      out.append(between).append(text(part, frame));
      frame.budget().bound(out.length());
      between = separator;
    }
    return out.toString();
  }

  private static Object reversed(Object value, Budget budget) {
    if (value instanceof String text) {
      return new StringBuilder(text).reverse().toString();
    }
    List<Object> items = new ArrayList<>(Values.items(value, budget));
    Collections.reverse(items);
    return View.lazy(items);
  }

  private static Object round(Object value, Arguments arguments) {
    int digits = arguments.integer(0, "precision", 0);
    String method = arguments.text(1, "method", "common");
    RoundingMode mode =
        method.equals("ceil")
            ? RoundingMode.CEILING
            : method.equals("floor") ? RoundingMode.FLOOR : RoundingMode.HALF_EVEN;
    double number = Values.decimal(value);
    if (Double.isNaN(number) || Double.isInfinite(number) || Math.abs(digits) > 400) {
      return number;
    }
    return new BigDecimal(number).setScale(digits, mode).doubleValue();
  }

  private static Object sum(Object value, Arguments arguments, Budget budget) {
    Object path = arguments.get(0, "attribute", null);
    Object sum = arguments.get(1, "start", 0L);
    for (Object item : Values.items(value, budget)) {
      Object part = path == null ? item : Selection.attribute(item, path, null, budget);
      sum = Operators.apply("+", sum, part, budget);
    }
    return sum;
  }

  /** Words, which end at blanks, hyphens and opening brackets, with a capital each. */
  private static String title(String text) {
    StringBuilder out = new StringBuilder();
    boolean inside = false;
    for (int c : text.codePoints().toArray()) {
      out.appendCodePoint(inside ? Character.toLowerCase(c) : Character.toUpperCase(c));
      inside = !Characters.isSpace(c) && "-({[<".indexOf(c) < 0;
    }
    return out.toString();
  }

  private static String truncate(String text, Arguments arguments) {
    int length = arguments.integer(0, "length", 255);
    String end = arguments.text(2, "end", "...");
    int leeway =
        arguments.has(3, "leeway") && arguments.get(3, "leeway", null) != null
            ? arguments.integer(3, "leeway", 5)
            : 5;
    if (text.length() <= (long) length + leeway) {
      return text;
    }
    if (length < end.length()) {
      throw new JinjaException(
          "truncate has a length of " + length + ": expected at least " + end.length());
    }
    String kept = text.substring(0, length - end.length());
    if (!arguments.flag(1, "killwords")) {
      int space = kept.lastIndexOf(' ');
      kept = space < 0 ? kept : kept.substring(0, space);
    }
    return kept + end;
  }

  private static Object unique(Object value, Arguments arguments, Budget budget) {
    boolean exact = arguments.flag(0, "case_sensitive");
    Object path = arguments.get(1, "attribute", null);
    List<Object> unique = new ArrayList<>();
    java.util.Set<Object> seen = new java.util.HashSet<>();
    for (Object item : Values.items(value, budget)) {
      Object key = path == null ? item : Selection.attribute(item, path, null, budget);
      if (seen.add(Values.key(exact ? key : folded(key)))) {
        unique.add(item);
      }
    }
    return View.lazy(unique);
  }
}
