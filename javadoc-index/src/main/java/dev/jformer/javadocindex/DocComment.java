package dev.jformer.javadocindex;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A documentation comment in its parts.
 *
 * @param text what stands before the block tags
 * @param parameters the text of each {@code @param} by the parameter's name, in order
 */
record DocComment(String text, Map<String, String> parameters) {
  private static final Pattern BLOCK_TAG = Pattern.compile("(?m)^\\s*@(\\w+)");
  private static final Pattern PARAMETER = Pattern.compile("\\s+(\\S+)\\s+(.*)", Pattern.DOTALL);

  /** Splits a comment as {@link javax.lang.model.util.Elements#getDocComment} gives it. */
  static DocComment parse(String comment) {
    Matcher tag = BLOCK_TAG.matcher(comment);
    boolean more = tag.find();
    String text = more ? comment.substring(0, tag.start()) : comment;
    Map<String, String> parameters = new LinkedHashMap<>();
    while (more) {
      String name = tag.group(1);
      int begin = tag.end();
      more = tag.find();
      Matcher parameter =
          PARAMETER.matcher(comment.substring(begin, more ? tag.start() : comment.length()));
      if (name.equals("param") && parameter.matches()) {
        parameters.put(parameter.group(1), lines(parameter.group(2)));
      }
    }
    return new DocComment(lines(text), parameters);
  }

  private static String lines(String text) {
    return text.strip().replaceAll("(?m)^ |[ \\t]+$", "");
  }

  /** The comment as a JSON object. */
  String json() {
    StringBuilder json = new StringBuilder("{\n  \"text\": ").append(quote(text));
    json.append(",\n  \"parameters\": {");
    String separator = "";
    for (Map.Entry<String, String> parameter : parameters.entrySet()) {
      json.append(separator).append("\n    ").append(quote(parameter.getKey())).append(": ");
      json.append(quote(parameter.getValue()));
      separator = ",";
    }
    return json.append("\n  }\n}\n").toString();
  }

  private static String quote(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      switch (c) {
        case '"' -> quoted.append("\\\"");
        case '\\' -> quoted.append("\\\\");
        case '\n' -> quoted.append("\\n");
        default -> {
          if (c < ' ' || c > '~') {
            quoted.append(String.format("\\u%04x", (int) c));
          } else {
            quoted.append(c);
          }
        }
      }
    }
    return quoted.append('"').toString();
  }
}
