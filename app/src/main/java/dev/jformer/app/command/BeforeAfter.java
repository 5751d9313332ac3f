package dev.jformer.app.command;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Locale;

/**
 * A figure of a model before and after surgery.
 *
 * @param name what was measured, with its unit
 * @param format how a person reads it
 */
record BeforeAfter(String name, double before, double after, String format) {
  /** All figures and their ratios as lines. */
  static String table(List<BeforeAfter> rows) {
    StringBuilder text =
        new StringBuilder(
            String.format(Locale.ROOT, "%-28s %16s %16s %8s", "", "before", "after", "ratio"));
    for (BeforeAfter row : rows) {
      text.append(
          String.format(
              Locale.ROOT,
              "%n%-28s %16s %16s %8.3f",
              row.name,
              String.format(Locale.ROOT, row.format, row.before),
              String.format(Locale.ROOT, row.format, row.after),
              row.after / row.before));
    }
    return text.toString();
  }

  /** All figures as one JSON object. */
  static String json(List<BeforeAfter> rows) {
    ObjectNode object = new JsonMapper().createObjectNode();
    for (BeforeAfter row : rows) {
      object.putObject(row.name).put("before", row.before).put("after", row.after);
    }
    return object.toString();
  }
}
