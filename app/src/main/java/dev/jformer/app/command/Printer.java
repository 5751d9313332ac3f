package dev.jformer.app.command;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.ser.std.StdSerializer;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.reflect.RecordComponent;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Prints results on standard output, as text or as JSON. A result is a record, a map, or a list of
 * records.
 *
 * <p>JSON has the fields of the record under their names; a number that is not finite becomes null,
 * a path its text. Text has a line for each field with its {@link Unit}, and a table for a list.
 */
final class Printer {
  private static final JsonMapper JSON = mapper();
  private static final String GAP = "  ";
  private static final int LONG = 60;

  private final boolean json;
  private final PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);

  Printer(boolean json) {
    this.json = json;
  }

  boolean isJson() {
    return json;
  }

  /** Prints a result: as text with a line for each field, or as indented JSON. */
  void print(Object result) {
    print(result, Printer::text);
  }

  /**
   * Prints a result whose text has a form of its own.
   *
   * @param text makes lines for people of the result
   */
  <R> void print(R result, Function<R, String> text) {
    out.println(json ? tree(result).toPrettyString() : text.apply(result).stripTrailing());
  }

  /** Prints one of many results; see {@link #line}. */
  <R> void printLine(R result, Function<R, String> text) {
    out.println(line(result, text));
  }

  /** One of many results: its text without line breaks, or a JSON object in one line. */
  <R> String line(R result, Function<R, String> text) {
    return json ? tree(result).toString() : text.apply(result).replaceAll("\\R", " ");
  }

  /** Prints lines as they are. */
  void printAll(String lines) {
    out.print(lines);
    out.flush();
  }

  // ---- Text

  /** Lines for people: a field each, or a row each for a list. */
  static String text(Object result) {
    JsonNode tree = tree(result);
    if (tree.isArray()) {
      List<?> rows = (List<?>) result;
      return rows.isEmpty() ? "" : table(columns(rows.get(0).getClass()), tree);
    }
    return fields(result.getClass(), tree);
  }

  private static String fields(Class<?> type, JsonNode tree) {
    Map<String, String> units = units(type);
    Map<String, String> lines = new LinkedHashMap<>();
    tree.properties()
        .forEach(
            field ->
                lines.put(
                    label(field.getKey()),
                    withUnit(field.getValue(), units.getOrDefault(field.getKey(), ""))));
    int width = lines.keySet().stream().mapToInt(String::length).max().orElse(0);
    return lines.entrySet().stream()
        .filter(line -> !line.getValue().isEmpty())
        .map(line -> pad(line.getKey(), width) + GAP + line.getValue())
        .collect(Collectors.joining("\n"));
  }

  private static Map<String, String> columns(Class<?> type) {
    Map<String, String> columns = new LinkedHashMap<>();
    units(type).forEach(columns::put);
    return columns;
  }

  /** A table with a column for each field and a row for each element of an array. */
  private static String table(Map<String, String> columns, JsonNode rows) {
    List<List<String>> cells = new ArrayList<>();
    cells.add(
        columns.entrySet().stream()
            .map(c -> label(c.getKey()) + (c.getValue().isEmpty() ? "" : " (" + c.getValue() + ")"))
            .toList());
    for (JsonNode row : rows) {
      cells.add(
          columns.entrySet().stream().map(c -> number(row.get(c.getKey()), c.getValue())).toList());
    }
    JsonNode first = rows.get(0);
    List<Boolean> right = columns.keySet().stream().map(c -> first.get(c).isNumber()).toList();
    return aligned(cells, right);
  }

  /**
   * Rows of cells as lines, in columns.
   *
   * @param right for each column, whether its cells end at one place, as numbers should
   */
  static String aligned(List<List<String>> rows, List<Boolean> right) {
    int[] widths = new int[right.size()];
    for (List<String> row : rows) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    StringBuilder text = new StringBuilder();
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < widths.length; i++) {
        String cell = row.get(i);
        line.append(i == 0 ? "" : GAP)
            .append(
                right.get(i) ? " ".repeat(widths[i] - cell.length()) + cell : pad(cell, widths[i]));
      }
      text.append(line.toString().stripTrailing()).append('\n');
    }
    return text.toString();
  }

  private static Map<String, String> units(Class<?> type) {
    Map<String, String> units = new LinkedHashMap<>();
    RecordComponent[] components =
        type.isRecord() ? type.getRecordComponents() : new RecordComponent[0];
    for (RecordComponent component : components) {
      Unit unit = component.getAnnotation(Unit.class);
      units.put(component.getName(), unit == null ? "" : unit.value());
    }
    return units;
  }

  /** {@code bestValidationLoss} is shown as {@code best validation loss}. */
  static String label(String name) {
    return name.replaceAll("([a-z])([A-Z])", "$1 $2").toLowerCase(Locale.ROOT);
  }

  private static String withUnit(JsonNode value, String unit) {
    String text = number(value, unit);
    return unit.isEmpty() || text.isEmpty() ? text : text + " " + unit;
  }

  /** A value without its unit. */
  private static String number(JsonNode value, String unit) {
    if (value == null || value.isNull()) {
      return "";
    }
    if (value.isIntegralNumber()) {
      return count(value.longValue());
    }
    if (value.isNumber()) {
      return unit.equals(Unit.SHARE)
          ? String.format(Locale.ROOT, "%.2f", 100 * value.doubleValue())
          : number(value.doubleValue());
    }
    return value.isValueNode() ? value.asText() : value.toString();
  }

  /** A whole number with separators. */
  static String count(long value) {
    return String.format(Locale.ROOT, "%,d", value);
  }

  /** A number with as many digits as a reader needs. */
  static String number(double value) {
    double size = Math.abs(value);
    String format = size >= 1000 ? "%,.0f" : size >= 100 ? "%.1f" : size >= 10 ? "%.2f" : "%.4f";
    return String.format(Locale.ROOT, format, value);
  }

  /** JSON on one line, cut where it is long. */
  static String shortened(JsonNode value) {
    String text = value.toString();
    return text.length() > LONG ? text.substring(0, LONG) + "..." : text;
  }

  private static String pad(String text, int width) {
    return text + " ".repeat(width - text.length());
  }

  // ---- JSON

  /** The result as a JSON tree. */
  static JsonNode tree(Object result) {
    return finite(JSON.valueToTree(result));
  }

  /** The tree with null in the place of numbers that JSON cannot write. */
  private static JsonNode finite(JsonNode node) {
    if (node.isFloatingPointNumber() && !Double.isFinite(node.doubleValue())) {
      return NullNode.getInstance();
    }
    if (node.isObject()) {
      ((ObjectNode) node).properties().forEach(field -> field.setValue(finite(field.getValue())));
    } else if (node.isArray()) {
      ArrayNode array = (ArrayNode) node;
      for (int i = 0; i < array.size(); i++) {
        array.set(i, finite(array.get(i)));
      }
    }
    return node;
  }

  private static JsonMapper mapper() {
    SimpleModule module = new SimpleModule();
    module.addSerializer(new PathText());
    return JsonMapper.builder().addModule(module).build();
  }

  /** How results and users spell a constant: {@code EARLY_STOP} is {@code early-stop}. */
  static String name(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Writes a path as its text; Jackson would write a URI. */
  private static final class PathText extends StdSerializer<Path> {
    private static final long serialVersionUID = 1L;

    PathText() {
      super(Path.class);
    }

    @Override
    public void serialize(Path path, JsonGenerator to, SerializerProvider provider)
        throws IOException {
      to.writeString(path.toString());
    }
  }
}
