package dev.jformer.javadoc;

import java.util.List;
import java.util.Map;

/**
 * A type's Javadoc, ready to show.
 *
 * @param summary the first sentence, as plain text on one line; empty where nothing is known
 * @param text the whole comment without its block tags, as plain text
 * @param markdown the same as Markdown
 * @param papers the links of the comment, in order
 * @param parameters the plain text of each {@code @param} by name, in order: for a record, its
 *     components
 */
public record Description(
    String summary,
    String text,
    String markdown,
    List<PaperLink> papers,
    Map<String, String> parameters) {
  /** The description of a type about which nothing is known. */
  public static final Description NONE = new Description("", "", "", List.of(), Map.of());

  /** Whether nothing is known. */
  public boolean isEmpty() {
    return text.isEmpty() && parameters.isEmpty();
  }

  /** The plain text of a parameter; empty where there is none of that name. */
  public String parameter(String name) {
    return parameters.getOrDefault(name, "");
  }
}
